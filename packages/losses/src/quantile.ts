import type { Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface QuantileOptions extends LossOptions {
  /** Which quantile is to be predicted, between 0 and 1. Default 0.5: the median. */
  readonly q?: number;
}

/**
 * The pinball loss: `q e` of errors `e = targets - predictions` that are positive, `(q - 1) e` of negative
 * ones, averaged. It is least where the share q of the targets lies below the prediction.
 *
 * Predictions (f32 or f64) and targets have the same shape. Where they are equal the gradient is the mean of
 * both sides'.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `q` that is not between 0 and 1, an
 * unknown reduction or a negative `sampleWeight`.
 *
 * Source: Koenker and Bassett, "Regression Quantiles", 1978. PyTorch has none.
 *
 * @example
 * ```ts
 * import { quantile } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const losses = quantile(tensor([1, 3]), tensor([2, 2]), { q: 0.75, reduction: "none" });
 * console.log(losses); // → Tensor f32[2] [0.75, 0.25]
 * ```
 */
export function quantile(predictions: Tensor, targets: Tensor, options: QuantileOptions = {}): Tensor {
  const { q = 0.5 } = options;
  checkAlike("quantile", "predictions", predictions, targets);
  checkOption("quantile", "q", q, q > 0 && q < 1, "between 0 and 1");
  const error = targets.sub(predictions);
  return reduceLoss("quantile", error.mul(q).maximum(error.mul(q - 1)), options);
}
