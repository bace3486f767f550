import { fail, formatShape, isFloat, type Shape, sameShape, type Tensor } from "@gradus/core";
import { checkWeight } from "./check-values.js";

/** The axis of the classes: 1, or 0 if the logits are those of a single sample. */
export function classAxis(op: string, logits: Tensor, first = "logits"): number {
  if (logits.ndim === 0) {
    fail(
      "shape-mismatch",
      `${op}: ${first} must have an axis of classes, [N, C, ...] or [C], got a 0-dimensional tensor`,
    );
  }
  return logits.ndim === 1 ? 0 : 1;
}

/** Whether targets are class indices or a probability for each class; throws if they can be neither. */
export function targetKind(
  op: string,
  logits: Tensor,
  targets: Tensor,
  axis: number,
): "indices" | "probabilities" {
  const indexShape = logits.shape.filter((_, i) => i !== axis);
  const float = isFloat(targets.dtype);
  if (sameShape(targets.shape, logits.shape)) {
    if (float) return "probabilities";
    fail(
      "dtype-mismatch",
      `${op}: targets of the logits' shape ${formatShape(logits.shape)} are probabilities and must be f32 or f64, ` +
        `got ${targets.dtype}. One-hot rows: targets.cast("f32"); ${mendFor(logits, targets, indexShape)}`,
    );
  }
  if (sameShape(targets.shape, indexShape)) {
    if (targets.dtype === "i32") return "indices";
    fail(
      "dtype-mismatch",
      `${op}: class indices must be i32, got ${targets.dtype}. Convert them: targets.cast("i32")`,
    );
  }
  fail(
    "shape-mismatch",
    `${op}: targets ${formatShape(targets.shape)} do not fit logits ${formatShape(logits.shape)} with the classes on ` +
      `axis ${axis}: expected class indices ${formatShape(indexShape)} (i32) or probabilities ` +
      `${formatShape(logits.shape)}. ${mendFor(logits, targets, indexShape)}`,
  );
}

/** Throws unless targets are class indices, of the shape of `scores` without the class axis. */
export function checkClassIndices(
  op: string,
  first: string,
  scores: Tensor,
  targets: Tensor,
  axis: number,
): void {
  const expected = scores.shape.filter((_, i) => i !== axis);
  if (!sameShape(targets.shape, expected)) {
    fail(
      "shape-mismatch",
      `${op}: targets ${formatShape(targets.shape)} do not fit ${first} ${formatShape(scores.shape)} with the classes ` +
        `on axis ${axis}: expected class indices ${formatShape(expected)} (i32)`,
    );
  }
  if (targets.dtype === "i32") return;
  fail(
    "dtype-mismatch",
    `${op}: class indices must be i32, got ${targets.dtype}. Convert them: targets.cast("i32")`,
  );
}

/** The number of classes; throws if there are none. */
export function countClasses(op: string, first: string, scores: Tensor, axis: number): number {
  const classes = scores.shape[axis] as number;
  if (classes > 0) return classes;
  return fail("shape-mismatch", `${op}: ${first} ${formatShape(scores.shape)} have no classes`);
}

/** Throws unless `weight` has one number, not negative, for each class. */
export function checkClassWeight(
  op: string,
  weight: Tensor,
  classes: number,
  scores: Tensor,
  validate: boolean | undefined,
): void {
  checkWeight(op, "weight", weight, scores, validate);
  if (sameShape(weight.shape, [classes])) return;
  fail(
    "shape-mismatch",
    `${op}: weight ${formatShape(weight.shape)} must have one number for each of ${classes} classes`,
  );
}

/** The weight of each target's class, of the shape of `index`. */
export function weightOfClasses(weight: Tensor, index: Tensor, like: Tensor): Tensor {
  return weight
    .cast(like.dtype)
    .gather(0, index.reshape([index.size]))
    .reshape(index.shape);
}

function mendFor(logits: Tensor, targets: Tensor, indexShape: Shape): string {
  const last = logits.ndim - 1;
  if (last > 1 && sameShape(targets.shape, logits.shape.slice(0, last))) {
    return "Are the classes on the last axis? Move them: permute the logits to [N, C, ...]";
  }
  if (
    sameShape(
      logits.shape,
      targets.shape.filter((_, i) => i !== 1),
    )
  ) {
    return "Are the arguments swapped? The logits come first";
  }
  if (logits.ndim === 1) return "For one logit per sample there is bceWithLogits";
  if (targets.size === indexShape.reduce((a, b) => a * b, 1)) {
    return `Reshape them: targets.reshape([${indexShape.join(", ")}])`;
  }
  if (targets.shape[0] !== logits.shape[0]) {
    return `There are ${logits.shape[0]} samples and ${targets.shape[0] ?? "no"} targets`;
  }
  return "For several classes at once there is bceWithLogits";
}
