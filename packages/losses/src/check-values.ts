import { fail, isTensor, type Shape, type Tensor } from "@gradus/core";

// Checks that read elements from the device. They run where that needs no waiting;
// see `LossOptions.validate`.

/** Throws `index-out-of-range` unless every target is a class or `ignoreIndex`. */
export function checkClasses(
  loss: string,
  targets: Tensor,
  classes: number,
  ignoreIndex: number | undefined,
  logits: Tensor,
  validate: boolean | undefined,
): void {
  if (!reads(validate, targets, logits)) return;
  const found = firstWithout(targets, (c) => c === ignoreIndex || (c >= 0 && c < classes));
  if (found === undefined) return;
  const ignored = ignoreIndex === undefined ? "" : ` (and ignoreIndex is ${ignoreIndex})`;
  fail(
    "index-out-of-range",
    `${loss}: target ${found.value}${found.place} is not a class: there are ${classes} of them, ` +
      `0 to ${classes - 1}${ignored}`,
  );
}

/** Throws `index-out-of-range` unless every target is a class or -1. */
export function checkLabels(
  loss: string,
  targets: Tensor,
  classes: number,
  scores: Tensor,
  validate: boolean | undefined,
): void {
  if (!reads(validate, targets, scores)) return;
  const found = firstWithout(targets, (c) => c >= -1 && c < classes);
  if (found === undefined) return;
  fail(
    "index-out-of-range",
    `${loss}: label ${found.value}${found.place} is not a class: they are 0 to ${classes - 1}, and -1 ends a row`,
  );
}

/** Throws `invalid-argument` unless every length is in [0, limit], and they add up to `total` if that is given. */
export function checkLengths(
  loss: string,
  name: string,
  lengths: Tensor,
  limit: number,
  predictions: Tensor,
  validate: boolean | undefined,
  total?: number,
): void {
  checkEach(loss, name, lengths, predictions, validate, (n) => n >= 0 && n <= limit, `be in [0, ${limit}]`);
  if (total === undefined || !reads(validate, lengths, predictions)) return;
  let sum = 0;
  for (const n of lengths.data()) sum += n;
  if (sum === total) return;
  fail("invalid-argument", `${loss}: ${name} add up to ${sum}, but there are ${total} targets`);
}

/**
 * Throws `invalid-argument` unless every element is in [0, 1]. If `first`, what the loss calls the predictions, is given
 * and they are in [0, 1] instead, the message asks whether the arguments are swapped.
 */
export function checkProbabilities(
  loss: string,
  name: string,
  x: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
  mend: string,
  first?: string,
): void {
  checkEach(loss, name, x, predictions, validate, isProbability, "be in [0, 1]", mend, first);
}

/** {@link checkProbabilities} of targets. */
export function checkTargetProbabilities(
  loss: string,
  first: string,
  targets: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
): void {
  const mend = "They are 0 and 1, or anything between; of -1 and 1 make them so: targets.add(1).div(2)";
  checkEach(loss, "targets", targets, predictions, validate, isProbability, "be in [0, 1]", mend, first);
}

/**
 * Throws `invalid-argument` if what should be logarithms of probabilities are the probabilities themselves: all in [0, 1],
 * and 1 in total for each of `rows`. With `validate: true`, if any element is more than 0.
 */
export function checkLogarithms(
  loss: string,
  logProbabilities: Tensor,
  rows: number,
  validate: boolean | undefined,
): void {
  if (!reads(validate, logProbabilities, logProbabilities)) return;
  const data = logProbabilities.data();
  const positive = data.findIndex((x) => x > 0);
  if (positive < 0) return;
  if (validate !== true) {
    let total = 0;
    for (const x of data) total += isProbability(x) ? x : Number.NaN;
    if (!(Math.abs(total - rows) <= 1e-3 * rows)) return;
  }
  const place = formatPlace(positive, logProbabilities.shape);
  fail(
    "invalid-argument",
    `${loss}: logProbabilities must not be positive, got ${data[positive]}${place}. Of probabilities take the logarithm, ` +
      ".log(); of logits .logSoftmax(axis)",
  );
}

/** Throws `invalid-argument` if an element is negative or NaN; `first` as for {@link checkProbabilities}. */
export function checkNotNegative(
  loss: string,
  name: string,
  x: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
  mend: string,
  first?: string,
): void {
  checkEach(loss, name, x, predictions, validate, (n) => n >= 0, "not be negative", mend, first);
}

/** Throws `invalid-argument` unless every target is 1 or -1; `first` as for {@link checkProbabilities}. */
export function checkSigns(
  loss: string,
  targets: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
  first?: string,
): void {
  const mend = "Of 0 and 1 make them so: targets.mul(2).sub(1)";
  const isSign = (t: number): boolean => t === 1 || t === -1;
  checkEach(loss, "targets", targets, predictions, validate, isSign, "be 1 or -1", mend, first);
}

function isProbability(p: number): boolean {
  return p >= 0 && p <= 1;
}

/** Throws unless every element is as it must be. Where the predictions, called `first`, are so instead, it says that. */
function checkEach(
  loss: string,
  name: string,
  x: Tensor,
  predictions: Tensor,
  validate: boolean | undefined,
  holds: (value: number) => boolean,
  must: string,
  mend?: string,
  first?: string,
): void {
  if (!reads(validate, x, predictions)) return;
  const found = firstWithout(x, holds);
  if (found === undefined) return;
  const swapped = first !== undefined && firstWithout(predictions, holds) === undefined;
  const hint = swapped ? `Are the arguments swapped? ${loss}(${first}, targets)` : mend;
  const end = hint === undefined ? "" : `. ${hint}`;
  fail("invalid-argument", `${loss}: ${name} must ${must}, got ${found.value}${found.place}${end}`);
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
export function reads(validate: boolean | undefined, x: Tensor, predictions: Tensor): boolean {
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
