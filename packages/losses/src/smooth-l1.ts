import type { Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { huberOf } from "./huber.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface SmoothL1Options extends LossOptions {
  /** The error at which the square becomes a line; 0 is `l1`. Default 1. */
  readonly beta?: number;
}

/**
 * The mean of `d^2 / (2 beta)` where the absolute error d is less than `beta`, else of `d - beta / 2`.
 *
 * Predictions (f32 or f64) and targets have the same shape. It is `huber` divided by `beta`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a negative `beta`, an unknown
 * reduction or a negative `sampleWeight`.
 *
 * Source: PyTorch's `nn.SmoothL1Loss`; `sampleWeight` is an addition. Girshick, "Fast R-CNN", 2015.
 *
 * @example
 * ```ts
 * import { smoothL1 } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * smoothL1(tensor([1, 0]), tensor([0, 3])).item(); // → 1.5
 * ```
 */
export function smoothL1(predictions: Tensor, targets: Tensor, options: SmoothL1Options = {}): Tensor {
  const { beta = 1 } = options;
  checkAlike("smoothL1", "predictions", predictions, targets);
  checkOption("smoothL1", "beta", beta, beta >= 0 && beta < Number.POSITIVE_INFINITY, "at least 0");
  const distance = predictions.sub(targets).abs();
  return reduceLoss("smoothL1", beta === 0 ? distance : huberOf(distance, beta).div(beta), options);
}
