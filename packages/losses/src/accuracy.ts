import { fail, type Tensor } from "@gradus/core";
import { checkTensors } from "./check-arguments.js";
import { classAxis, targetKind } from "./classes.js";

export interface AccuracyOptions {
  /** Targets of this class index are not counted. Default -100, as in `crossEntropy`. */
  readonly ignoreIndex?: number;
}

/**
 * The share of samples whose greatest logit is that of the target class, as a 0-dimensional f32 tensor. It
 * takes what `crossEntropy` takes: logits `[N, C, ...]` or `[C]`, and class indices or (the greatest counts)
 * probabilities. Of equal logits the first one is the prediction. NaN if nothing is counted.
 *
 * @throws `shape-mismatch` or `dtype-mismatch` for targets that are neither.
 *
 * @example
 * ```ts
 * import { accuracy } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const logits = tensor([[0.2, 0.5, 0.3], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.1, 0.2, 0.7]]);
 * accuracy(logits, tensor([1, 0, 2, 0], { dtype: "i32" })).item(); // → 0.75
 * ```
 */
export function accuracy(logits: Tensor, targets: Tensor, options: AccuracyOptions = {}): Tensor {
  const { ignoreIndex = -100 } = options;
  if (!Number.isInteger(ignoreIndex)) {
    fail("invalid-argument", `accuracy: ignoreIndex must be a whole number, got ${ignoreIndex}`);
  }
  checkTensors("accuracy", "logits", logits, targets);
  const axis = classAxis("accuracy", logits);
  const predicted = logits.argmax(axis);
  if (targetKind("accuracy", logits, targets, axis) === "probabilities") {
    return predicted.eq(targets.argmax(axis)).cast("f32").mean();
  }
  const counted = targets.ne(ignoreIndex);
  const correct = predicted.eq(targets).logicalAnd(counted).cast("f32");
  return correct.sum().div(counted.cast("f32").sum());
}
