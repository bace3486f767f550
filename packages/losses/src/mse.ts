import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

/**
 * The mean squared error `mean((predictions - targets)^2)`.
 *
 * Predictions (f32 or f64) and targets have the same shape, whatever it is. With `reduction: "none"` the
 * result has it too, else it is 0-dimensional. The mean of nothing is NaN, the sum 0.
 *
 * @throws `shape-mismatch` for different shapes (PyTorch warns and broadcasts them), `dtype-mismatch` for
 * integer predictions, `invalid-argument` for an unknown reduction or a negative `sampleWeight`.
 *
 * Source: PyTorch's `nn.MSELoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { mse } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const loss = mse(tensor([1, 2, 3]), tensor([0.9, 2.1, 3.2]));
 * loss.item(); // → 0.020000
 * ```
 */
export function mse(predictions: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  checkAlike("mse", "predictions", predictions, targets);
  return reduceLoss("mse", predictions.sub(targets).square(), options);
}
