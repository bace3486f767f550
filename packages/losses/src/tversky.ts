import type { Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { checkProbabilities, checkTargetProbabilities } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface TverskyOptions extends LossOptions {
  /** How much false positives count. Default 0.5. */
  readonly alpha?: number;
  /** How much false negatives count. Default 0.5. */
  readonly beta?: number;
  /** Added to numerator and denominator, so that two empty masks agree. Default 1. */
  readonly smooth?: number;
}

/**
 * One minus the Tversky index, `1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)`, of each sample,
 * averaged: an overlap of masks in which false positives and false negatives need not count alike.
 *
 * Probabilities (f32 or f64) and targets (0 and 1, or anything between) have the same shape, `[N, ...]`: TP =
 * `sum p t`, FP = `sum p (1 - t)`, FN = `sum (1 - p) t` over all axes but the first. The unreduced losses are
 * `[N]`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a negative `alpha`, `beta` or
 * `smooth`, an unknown reduction, and (see `validate`) probabilities or targets outside of [0, 1] or negative
 * weights.
 *
 * Source: Salehi et al., "Tversky Loss Function for Image Segmentation", 2017. PyTorch has none.
 *
 * @example
 * ```ts
 * import { tversky } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [p, t] = [tensor([[1, 1, 0, 0]]), tensor([[1, 0, 1, 1]])];
 * // TP 1, FP 1, FN 2
 * tversky(p, t, { alpha: 0.25, beta: 0.75, smooth: 0 }).item(); // → 0.636364
 * ```
 */
export function tversky(probabilities: Tensor, targets: Tensor, options: TverskyOptions = {}): Tensor {
  const { alpha = 0.5, beta = 0.5, smooth = 1 } = options;
  for (const [name, value] of Object.entries({ alpha, beta, smooth })) {
    checkOption("tversky", name, value, value >= 0, "at least 0");
  }
  const { overlap, predicted, wanted } = masks("tversky", probabilities, targets, options);
  const wrong = predicted.sub(overlap).mul(alpha).add(wanted.sub(overlap).mul(beta));
  // The complement of the index, which loses no digits where the masks nearly agree.
  return reduceLoss("tversky", wrong.div(wrong.add(overlap).add(smooth)), options);
}

/** `sum p t`, `sum p` and `sum t` of each sample, of checked arguments. */
export function masks(
  loss: string,
  probabilities: Tensor,
  targets: Tensor,
  { validate }: LossOptions,
): { readonly overlap: Tensor; readonly predicted: Tensor; readonly wanted: Tensor } {
  checkAlike(loss, "probabilities", probabilities, targets);
  const mend = "Make logits probabilities: logits.sigmoid()";
  checkProbabilities(loss, "probabilities", probabilities, probabilities, validate, mend);
  checkTargetProbabilities(loss, "probabilities", targets, probabilities, validate);
  const axes = probabilities.shape.map((_, i) => i).slice(1);
  const total = (x: Tensor): Tensor => (axes.length === 0 ? x : x.sum(axes));
  const t = targets.cast(probabilities.dtype);
  return { overlap: total(probabilities.mul(t)), predicted: total(probabilities), wanted: total(t) };
}
