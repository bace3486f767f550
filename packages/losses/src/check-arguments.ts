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
 * Throws unless the first argument is a float tensor and the second a tensor. `first` is what the loss calls
 * it.
 */
export function checkTensors(loss: string, first: string, predictions: Tensor, targets: Tensor): void {
  for (const [name, x] of [[first, predictions] as const, ["targets", targets] as const]) {
    if (!isTensor(x)) {
      fail(
        "invalid-argument",
        `${loss}: ${name} must be a tensor, got ${describe(x)}. Wrap it: tensor(value)`,
      );
    }
  }
  if (isFloat(predictions.dtype)) return;
  const mend = isFloat(targets.dtype)
    ? `Are the arguments swapped? ${loss}(${first}, targets)`
    : `Convert them: ${first}.cast("f32")`;
  fail("dtype-mismatch", `${loss}: ${first} must be f32 or f64, got ${predictions.dtype}. ${mend}`);
}

/** Throws unless both have one shape: broadcasting them is nearly always a mistake, and a silent one. */
export function checkSameShape(loss: string, first: string, predictions: Tensor, targets: Tensor): void {
  const [a, b] = [predictions.shape, targets.shape];
  if (sameShape(a, b)) return;
  const mend = sameShape(withoutOnes(a), withoutOnes(b))
    ? ` They differ in axes of size 1 only: ${predictions.ndim > targets.ndim ? first : "targets"}.reshape(...)?`
    : "";
  fail(
    "shape-mismatch",
    `${loss}: ${first} ${formatShape(a)} and targets ${formatShape(b)} must have the same shape.${mend}`,
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

function withoutOnes(shape: Shape): Shape {
  return shape.filter((n) => n !== 1);
}

function describe(x: unknown): string {
  if (Array.isArray(x)) return "an array";
  return x === null || typeof x !== "object" ? String(x) : "an object";
}
