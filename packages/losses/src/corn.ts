import type { Tensor } from "@gradus/core";
import { ordinalCosts } from "./coral.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

/**
 * Ordinal regression by conditional questions: "is the class more than k, given that it is at least k?" for k = 0 to
 * K - 2. Each question is put only to the samples that it concerns; the mean of the binary cross-entropy of
 * `sigmoid(logit)` over all questions that were put. The logits need not share their weights, and still the
 * probabilities never contradict each other.
 *
 * Logits are f32 or f64, `[N, K - 1]`, `[N, K - 1, d1, ...]` or `[K - 1]`, targets class indices 0 to K - 1 (i32) of the
 * shape without that axis. An unreduced loss is the sum over a sample's questions. The probabilities of more than k are
 * `logits.sigmoid().cumprod(1)`; the predicted class is how many of them are above 0.5.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a class that does not exist, or
 * `invalid-argument` for an unknown reduction or a negative `sampleWeight`.
 *
 * Source: Shi, Cao and Raschka, "Deep Neural Networks for Rank-Consistent Ordinal Regression Based on Conditional
 * Probabilities", 2021 (CORN); `corn_loss` of coral-pytorch. PyTorch has none.
 *
 * @example
 * ```ts
 * import { corn } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * // Four classes; the targets are 2 (all three questions) and 0 (the first).
 * const logits = tensor([[2, 1, -1], [0.5, -1, -2]]);
 * corn(logits, tensor([2, 0], { dtype: "i32" })).item(); // → 0.4319
 * console.log(logits.sigmoid().cumprod(1).gt(0.5).cast("i32").sum(1)); // → Tensor i32[2] [2, 1]
 * ```
 */
export function corn(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  const { axis, questions, costs } = ordinalCosts("corn", logits, targets, options.validate);
  const put = targets.unsqueeze(axis).ge(questions);
  return reduceLoss("corn", put.where(costs, 0).sum(axis), options, put.cast(logits.dtype).sum(axis));
}
