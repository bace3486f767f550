import type { Tensor } from "@gradus/core";
import { checkOption } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";
import { masks } from "./tversky.js";

export interface DiceOptions extends LossOptions {
  /** Added to numerator and denominator, so that two empty masks agree. Default 1. */
  readonly smooth?: number;
}

/**
 * One minus the soft Dice coefficient, `1 - (2 sum p t + smooth) / (sum p + sum t + smooth)`, of each sample,
 * averaged: the overlap of a predicted mask and the true one, whatever their size.
 *
 * Probabilities (f32 or f64) and targets (0 and 1, or anything between) have the same shape, `[N, ...]`; the
 * sums are over all axes but the first. The unreduced losses are `[N]`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a negative `smooth`, an unknown
 * reduction, and (see `validate`) probabilities or targets outside of [0, 1] or negative weights.
 *
 * Source: Milletari et al., "V-Net", 2016, without the squares in the denominator. PyTorch has none.
 *
 * @example
 * ```ts
 * import { dice } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [p, t] = [tensor([[1, 1, 0, 0]]), tensor([[1, 0, 0, 0]])];
 * dice(p, t, { smooth: 0 }).item(); // → 0.333333
 * ```
 */
export function dice(probabilities: Tensor, targets: Tensor, options: DiceOptions = {}): Tensor {
  const { smooth = 1 } = options;
  checkOption("dice", "smooth", smooth, smooth >= 0, "at least 0");
  const { overlap, predicted, wanted } = masks("dice", probabilities, targets, options);
  const total = predicted.add(wanted);
  return reduceLoss("dice", total.sub(overlap.mul(2)).div(total.add(smooth)), options);
}
