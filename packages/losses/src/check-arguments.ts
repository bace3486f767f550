import {
  broadcastShapes,
  fail,
  formatShape,
  isFloat,
  isTensor,
  type Shape,
  sameShape,
  type Tensor,
} from "@gradus/core";

/**
 * Throws unless the first argument is a float tensor and the second a tensor. `first` and `second` are what
 * the loss calls them.
 */
export function checkTensors(
  loss: string,
  first: string,
  predictions: Tensor,
  targets: Tensor,
  second = "targets",
): void {
  for (const [name, x] of [[first, predictions] as const, [second, targets] as const]) {
    if (!isTensor(x)) {
      fail(
        "invalid-argument",
        `${loss}: ${name} must be a tensor, got ${describe(x)}. Wrap it: tensor(value)`,
      );
    }
  }
  if (isFloat(predictions.dtype)) return;
  const mend = isFloat(targets.dtype)
    ? `Are the arguments swapped? ${loss}(${first}, ${second})`
    : `Convert them: ${first}.cast("f32")`;
  fail("dtype-mismatch", `${loss}: ${first} must be f32 or f64, got ${predictions.dtype}. ${mend}`);
}

/** {@link checkTensors}, and that both have one shape: broadcasting is nearly always a mistake, and a silent one. */
export function checkAlike(
  loss: string,
  first: string,
  predictions: Tensor,
  targets: Tensor,
  second = "targets",
): void {
  checkTensors(loss, first, predictions, targets, second);
  const [a, b] = [predictions.shape, targets.shape];
  if (sameShape(a, b)) return;
  const mend = sameShape(withoutOnes(a), withoutOnes(b))
    ? ` They differ in axes of size 1 only: ${predictions.ndim > targets.ndim ? first : second}.reshape(...)?`
    : "";
  fail(
    "shape-mismatch",
    `${loss}: ${first} ${formatShape(a)} and ${second} ${formatShape(b)} must have the same shape.${mend}`,
  );
}

/** Throws unless `weight` broadcasts to `shape`. */
export function checkBroadcasts(loss: string, name: string, weight: Tensor, shape: Shape): void {
  const joined = broadcastShapes(`${loss}: ${name}`, weight.shape, shape);
  if (sameShape(joined, shape)) return;
  fail(
    "shape-mismatch",
    `${loss}: ${name} ${formatShape(weight.shape)} must broadcast to the losses' shape ${formatShape(shape)}`,
  );
}

/** Throws unless a number among the options is what it must be. */
export function checkOption(loss: string, name: string, value: number, holds: boolean, range: string): void {
  if (typeof value === "number" && holds) return;
  fail("invalid-argument", `${loss}: ${name} must be ${range}, got ${value}`);
}

/** Throws unless an exponent is 1 or 2. */
export function checkPower(loss: string, p: number): void {
  checkOption(loss, "p", p, p === 1 || p === 2, "1 or 2");
}

function withoutOnes(shape: Shape): Shape {
  return shape.filter((n) => n !== 1);
}

function describe(x: unknown): string {
  if (Array.isArray(x)) return "an array";
  return x === null || typeof x !== "object" ? String(x) : "an object";
}
