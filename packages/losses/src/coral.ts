import { fail, formatShape, type Tensor } from "@gradus/core";
import { checkTensors } from "./check-arguments.js";
import { checkClasses } from "./check-values.js";
import { checkClassIndices, checkClassWeight, classAxis, countClasses } from "./classes.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface CoralOptions extends LossOptions {
  /** How much each of the K - 1 questions counts, `[K - 1]`; 1 each by default. */
  readonly weight?: Tensor;
}

/**
 * Ordinal regression, for classes that have an order (ratings, stages): the network answers K - 1 questions, "is the
 * class more than k?" for k = 0, 1, ...; the sum over them of the binary cross-entropy of `sigmoid(logit)`, averaged
 * over the samples. So a prediction costs the more the farther it is off.
 *
 * Logits are f32 or f64, `[N, K - 1]`, `[N, K - 1, d1, ...]` or `[K - 1]`, targets class indices 0 to K - 1 (i32) of the
 * shape without that axis, which is also that of the unreduced losses. Where the logits of a sample are one score plus
 * a bias of each question, the answers never contradict each other. The predicted class is the number of questions
 * answered with yes: `logits.gt(0).cast("i32").sum(1)`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a class that does not exist, or
 * `invalid-argument` for an unknown reduction, and (see `validate`) negative weights.
 *
 * Source: Cao, Mirjalili and Raschka, "Rank Consistent Ordinal Regression for Neural Networks with Application to Age
 * Estimation", 2020 (CORAL); `coral_loss` of coral-pytorch. PyTorch has none.
 *
 * @example
 * ```ts
 * import { coral } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * // Four classes; the targets are 2 and 0.
 * const logits = tensor([[2, 1, -1], [0.5, -1, -2]]);
 * coral(logits, tensor([2, 0], { dtype: "i32" })).item(); // → 1.0839
 * console.log(logits.gt(0).cast("i32").sum(1)); // → Tensor i32[2] [2, 1]
 * ```
 */
export function coral(logits: Tensor, targets: Tensor, options: CoralOptions = {}): Tensor {
  const { weight, validate } = options;
  const { axis, questions, costs } = ordinalCosts("coral", logits, targets, validate);
  if (weight === undefined) return reduceLoss("coral", costs.sum(axis), options);
  checkClassWeight("coral", weight, questions.size, logits, validate);
  const weights = weight.cast(logits.dtype).reshape(questions.shape);
  return reduceLoss("coral", costs.mul(weights).sum(axis), options);
}

/** The binary cross-entropies of the questions "more than k?", of the shape of the logits, and the k along their axis. */
export function ordinalCosts(
  loss: string,
  logits: Tensor,
  targets: Tensor,
  validate: boolean | undefined,
): { readonly axis: number; readonly questions: Tensor; readonly costs: Tensor } {
  checkTensors(loss, "logits", logits, targets);
  const axis = classAxis(loss, logits);
  const count = countClasses(loss, "logits", logits, axis);
  if (targets.ndim === logits.ndim) {
    fail(
      "shape-mismatch",
      `${loss}: targets ${formatShape(targets.shape)} must be class indices, without the axis of the logits ` +
        `${formatShape(logits.shape)}. Of a 0 or 1 for each question: targets.sum(${axis}).cast("i32")`,
    );
  }
  checkClassIndices(loss, "logits", logits, targets, axis);
  checkClasses(loss, targets, count + 1, undefined, logits, validate);
  const questions = logits.engine
    .arange(0, count, 1, { dtype: "i32", device: logits.device })
    .reshape(logits.shape.map((n, i) => (i === axis ? n : 1)));
  const more = targets.unsqueeze(axis).gt(questions);
  return { axis, questions, costs: more.where(logits.neg(), logits).softplus() };
}
