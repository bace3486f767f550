import { fail, isTensor, type Shape, type Tensor } from "@gradus/core";

// Checks that read elements from the device. They run where that needs no waiting;
// see `LossOptions.validate`.

/** Throws `index-out-of-range` unless every target is a class or `ignoreIndex`. */
export function checkClasses(
  loss: string,
  targets: Tensor,
  classes: number,
  ignoreIndex: number,
  logits: Tensor,
  validate: boolean | undefined,
): void {
  if (!reads(validate, targets, logits)) return;
  const found = firstWithout(targets, (c) => c === ignoreIndex || (c >= 0 && c < classes));
  if (found === undefined) return;
  fail(
    "index-out-of-range",
    `${loss}: target ${found.value}${found.place} is not a class: the logits have ${classes} of them, ` +
      `0 to ${classes - 1} (and ignoreIndex is ${ignoreIndex})`,
  );
}

/** Throws `invalid-argument` unless every element is in [0, 1]. */
export function checkProbabilities(
  loss: string,
  name: string,
  x: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
  mend: string,
): void {
  if (!reads(validate, x, predictions)) return;
  const found = firstWithout(x, (p) => p >= 0 && p <= 1);
  if (found === undefined) return;
  fail("invalid-argument", `${loss}: ${name} must be in [0, 1], got ${found.value}${found.place}. ${mend}`);
}

/** Throws `invalid-argument` unless `weight` is a tensor, and if an element is negative or NaN. */
export function checkWeight(
  loss: string,
  name: string,
  weight: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
): void {
  if (!isTensor(weight)) {
    fail("invalid-argument", `${loss}: ${name} must be a tensor. Wrap it: tensor(value)`);
  }
  if (!reads(validate, weight, predictions)) return;
  const found = firstWithout(weight, (w) => w >= 0);
  if (found === undefined) return;
  fail("invalid-argument", `${loss}: ${name} must not be negative, got ${found.value}${found.place}`);
}

/** A captured tensor is concrete, but while `predictions` is being compiled nothing may be read or run. */
function reads(validate: boolean | undefined, x: Tensor, predictions: Tensor): boolean {
  return validate ?? (!x.traced && !predictions.traced && x.device.readSync !== undefined);
}

function firstWithout(
  x: Tensor,
  holds: (value: number) => boolean,
): { readonly value: number; readonly place: string } | undefined {
  const data = x.data();
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!holds(value)) return { value, place: formatPlace(i, x.shape) };
  }
  return undefined;
}

/** ` at row 3`, ` at row 3, position [0, 2]`, or nothing for a 0-dimensional tensor. */
function formatPlace(index: number, shape: Shape): string {
  if (shape.length === 0) return "";
  let rest = index;
  const position: number[] = [];
  for (const n of [...shape].reverse()) {
    position.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  const [row, ...inner] = position;
  return ` at row ${row}${inner.length === 0 ? "" : `, position [${inner.join(", ")}]`}`;
}
