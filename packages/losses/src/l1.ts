import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

/**
 * The mean absolute error `mean(|predictions - targets|)`.
 *
 * Predictions (f32 or f64) and targets have the same shape, whatever it is. The gradient is 0 where they are
 * equal.
 *
 * @throws `shape-mismatch` for different shapes, `dtype-mismatch` for integer predictions, `invalid-argument`
 * for an unknown reduction or a negative `sampleWeight`.
 *
 * Source: PyTorch's `nn.L1Loss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { l1 } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * l1(tensor([1, 2, 3]), tensor([2, 2, 5])).item(); // → 1
 * ```
 */
export function l1(predictions: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  checkAlike("l1", "predictions", predictions, targets);
  return reduceLoss("l1", predictions.sub(targets).abs(), options);
}
