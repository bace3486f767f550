import type { Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { checkNotNegative } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface PoissonNLLOptions extends LossOptions {
  /** Whether predictions are logarithms of rates. Default true. */
  readonly logInput?: boolean;
  /** Whether to add Stirling's approximation of `log t!` (where t > 1), which is constant. Default false. */
  readonly full?: boolean;
  /** Added to rates before their logarithm is taken. Default 1e-8. */
  readonly eps?: number;
}

/**
 * The negative log-likelihood of counts t under Poisson distributions, averaged: `exp(x) - t x` of
 * logarithms of rates, or `x - t log(x + eps)` of rates.
 *
 * Predictions (f32 or f64) and targets have the same shape.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an `eps` that is not positive, an
 * unknown reduction, and (see `validate`) negative targets, rates or weights.
 *
 * Source: PyTorch's `nn.PoissonNLLLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { poissonNLL } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * poissonNLL(tensor([0, 1]), tensor([1, 2])).item(); // → 0.8591
 * ```
 */
export function poissonNLL(predictions: Tensor, targets: Tensor, options: PoissonNLLOptions = {}): Tensor {
  const { logInput = true, full = false, eps = 1e-8, validate } = options;
  checkAlike("poissonNLL", "predictions", predictions, targets);
  checkOption("poissonNLL", "eps", eps, eps > 0, "more than 0");
  checkNotNegative("poissonNLL", "targets", targets, predictions, validate, "They are counts", "predictions");
  if (!logInput) {
    const mend = "For logarithms of rates there is logInput";
    checkNotNegative("poissonNLL", "rates", predictions, predictions, validate, mend);
  }
  const t = targets.cast(predictions.dtype);
  const losses = logInput
    ? predictions.exp().sub(t.mul(predictions))
    : predictions.sub(t.mul(predictions.add(eps).log()));
  return reduceLoss("poissonNLL", full ? losses.add(stirling(t)) : losses, options);
}

/** `t log t - t + log(2 pi t) / 2` where t > 1, else 0. */
function stirling(t: Tensor): Tensor {
  const large = t.gt(1);
  const n = large.where(t, 1);
  const terms = n
    .mul(n.log())
    .sub(n)
    .add(
      n
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    );
  return large.where(terms, 0);
}
