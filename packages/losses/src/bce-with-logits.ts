import type { Tensor } from "@gradus/core";
import { checkAlike, checkBroadcasts } from "./check-arguments.js";
import { checkTargetProbabilities, checkWeight } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface BceWithLogitsOptions extends LossOptions {
  /**
   * Multiplies the losses before they are reduced; broadcasts to their shape. Unlike `sampleWeight` it leaves
   * the mean's denominator alone, as in PyTorch.
   */
  readonly weight?: Tensor;
  /** How much more a positive target counts than a negative one, usually one number per class; broadcasts. */
  readonly posWeight?: Tensor;
}

/**
 * The binary cross-entropy of `sigmoid(logits)`: `-(w t log sigmoid(x) + (1 - t) log sigmoid(-x))` of logits
 * `x`, targets `t` and `posWeight` w, averaged.
 *
 * Logits (f32 or f64) and targets have the same shape; targets are 0 and 1 or anything between. Value and
 * gradient are accurate for logits of any size, small losses included: nothing is exponentiated that could
 * overflow.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction, and (see
 * `validate`) for targets outside of [0, 1] or negative weights.
 *
 * Source: PyTorch's `nn.BCEWithLogitsLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { bceWithLogits } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const losses = bceWithLogits(tensor([0, 10_000]), tensor([1, 0]), { reduction: "none" });
 * console.log(losses); // → Tensor f32[2] [0.6931, 10000]
 * ```
 */
export function bceWithLogits(logits: Tensor, targets: Tensor, options: BceWithLogitsOptions = {}): Tensor {
  const { weight, posWeight, validate } = options;
  checkAlike("bceWithLogits", "logits", logits, targets);
  checkTargetProbabilities("bceWithLogits", "logits", targets, logits, validate);
  const t = targets.cast(logits.dtype);
  // Not the shorter `softplus(x) - t x`: where the loss is small, that subtracts two large numbers.
  let positive = t.mul(logits.neg().softplus());
  if (posWeight !== undefined) {
    checkWeight("bceWithLogits", "posWeight", posWeight, logits, validate);
    checkBroadcasts("bceWithLogits", "posWeight", posWeight, logits.shape);
    positive = positive.mul(posWeight.cast(logits.dtype));
  }
  let losses = positive.add(t.neg().add(1).mul(logits.softplus()));
  if (weight !== undefined) {
    checkWeight("bceWithLogits", "weight", weight, logits, validate);
    checkBroadcasts("bceWithLogits", "weight", weight, losses.shape);
    losses = losses.mul(weight.cast(losses.dtype));
  }
  return reduceLoss("bceWithLogits", losses, options);
}
