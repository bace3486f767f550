import type { Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface HuberOptions extends LossOptions {
  /** The error at which the square becomes a line, more than 0. Default 1. */
  readonly delta?: number;
}

/**
 * The mean of `d^2 / 2` where the absolute error d is at most `delta`, else of `delta (d - delta / 2)`: a
 * squared error that outliers do not dominate.
 *
 * Predictions (f32 or f64) and targets have the same shape. The gradient is never more than `delta`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `delta` that is not positive, an
 * unknown reduction or a negative `sampleWeight`.
 *
 * Source: PyTorch's `nn.HuberLoss`; `sampleWeight` is an addition. Huber, "Robust Estimation of a Location
 * Parameter", 1964.
 *
 * @example
 * ```ts
 * import { huber } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const losses = huber(tensor([1, 0]), tensor([0, 3]), { delta: 2, reduction: "none" });
 * console.log(losses); // → Tensor f32[2] [0.5, 4]
 * ```
 */
export function huber(predictions: Tensor, targets: Tensor, options: HuberOptions = {}): Tensor {
  const { delta = 1 } = options;
  checkAlike("huber", "predictions", predictions, targets);
  checkOption("huber", "delta", delta, delta > 0, "more than 0");
  return reduceLoss("huber", huberOf(predictions.sub(targets).abs(), delta), options);
}

/** Of absolute errors. Both branches in one formula, which squares nothing large. */
export function huberOf(distance: Tensor, delta: number): Tensor {
  const near = distance.minimum(delta);
  return near.mul(distance.sub(near.mul(0.5)));
}
