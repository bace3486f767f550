import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { checkSigns } from "./check-values.js";
import { positivePart } from "./positive-part.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface MarginRankingOptions extends LossOptions {
  /** By how much the scores must differ to cost nothing. Default 0. */
  readonly margin?: number;
}

/**
 * `max(0, margin - t (first - second))`, averaged: the first score is to be the higher one where the target
 * t is 1, the second where it is -1.
 *
 * Both scores (f32 or f64) and the targets have the same shape.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction and (see
 * `validate`) targets other than 1 and -1 or negative weights.
 *
 * Source: PyTorch's `nn.MarginRankingLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { marginRanking } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * marginRanking(tensor([3, 1]), tensor([1, 2]), tensor([1, 1])).item(); // → 0.5
 * ```
 */
export function marginRanking(
  first: Tensor,
  second: Tensor,
  targets: Tensor,
  options: MarginRankingOptions = {},
): Tensor {
  const { margin = 0, validate } = options;
  checkAlike("marginRanking", "first", first, second, "second");
  checkAlike("marginRanking", "first", first, targets);
  checkSigns("marginRanking", targets, first, validate);
  const losses = positivePart(targets.cast(first.dtype).mul(second.sub(first)).add(margin));
  return reduceLoss("marginRanking", losses, options);
}
