import type { Tensor } from "@gradus/core";
import { checkAlike, checkPower } from "./check-arguments.js";
import { checkSigns } from "./check-values.js";
import { positivePart } from "./positive-part.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface HingeOptions extends LossOptions {
  /** How far on the right side a prediction must be to cost nothing. Default 1. */
  readonly margin?: number;
  /** 1 (the default), or 2 for the squared hinge loss. */
  readonly p?: 1 | 2;
}

/**
 * The hinge loss `max(0, margin - t x)^p` of scores x and targets t, averaged: that of support vector
 * machines.
 *
 * Predictions (f32 or f64) and targets have the same shape; targets are 1 or -1.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `p` other than 1 and 2, an unknown
 * reduction, and (see `validate`) other targets or negative weights.
 *
 * Source: Cortes and Vapnik, "Support-Vector Networks", 1995. PyTorch has it for several classes only:
 * `multiMargin`.
 *
 * @example
 * ```ts
 * import { hinge } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [scores, targets] = [tensor([2, 0.5, 1]), tensor([1, 1, -1])];
 * hinge(scores, targets, { reduction: "sum" }).item(); // → 2.5
 * hinge(scores, targets, { reduction: "sum", p: 2 }).item(); // → 4.25
 * ```
 */
export function hinge(predictions: Tensor, targets: Tensor, options: HingeOptions = {}): Tensor {
  const { margin = 1, p = 1, validate } = options;
  checkAlike("hinge", "predictions", predictions, targets);
  checkPower("hinge", p);
  checkSigns("hinge", targets, predictions, validate, "predictions");
  const short = positivePart(targets.cast(predictions.dtype).mul(predictions).neg().add(margin));
  return reduceLoss("hinge", p === 1 ? short : short.square(), options);
}
