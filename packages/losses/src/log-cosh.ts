import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

/**
 * `log(cosh(predictions - targets))`, averaged: like half the squared error of small errors and the absolute
 * error of large ones, and smooth everywhere. The gradient is `tanh(predictions - targets)`.
 *
 * Predictions (f32 or f64) and targets have the same shape. Nothing overflows, and small errors are exact.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction or a negative
 * `sampleWeight`.
 *
 * Source: Green, "Reconstruction of Images from Emission Tomography", 1990. PyTorch has none.
 *
 * @example
 * ```ts
 * import { logCosh } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const losses = logCosh(tensor([1, 10_000]), tensor([0, 0]), { reduction: "none" });
 * console.log(losses); // → Tensor f32[2] [0.4338, 9999.3066]
 * ```
 */
export function logCosh(predictions: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  checkAlike("logCosh", "predictions", predictions, targets);
  const d = predictions.sub(targets);
  // Near 0 the general formula would subtract nearly equal numbers: log cosh d = log(1 + sinh(d)^2) / 2.
  const near = d.clamp(-1, 1).sinh().square().log1p().mul(0.5);
  const far = d.add(d.mul(-2).softplus()).sub(Math.LN2);
  return reduceLoss("logCosh", d.abs().lt(1).where(near, far), options);
}
