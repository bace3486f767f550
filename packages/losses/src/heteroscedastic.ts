import type { Tensor } from "@gradus/core";
import { checkOption } from "./check-arguments.js";
import { checkOutputs, outputOf } from "./outputs.js";
import { raiseTo } from "./raise-to.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface HeteroscedasticOptions extends LossOptions {
  /** Whether to add the constant `log(2 pi) / 2`. Default false. */
  readonly full?: boolean;
  /** Variances are raised to this, without changing their gradient. Default 1e-6. */
  readonly eps?: number;
  /**
   * How much samples of small predicted variance are kept from taking over, in [0, 1]: losses are multiplied by
   * `variance^beta`, a constant for the gradient. 0 (the default) is the likelihood, 0.5 often fits means better.
   */
  readonly beta?: number;
}

/**
 * Regression with a noise that the network predicts as well: the negative log-likelihood
 * `(s + exp(-s) (t - m)^2) / 2` of targets t under Gaussians of mean m and logarithm of variance s, averaged.
 *
 * Predictions are f32 or f64, `[..., 2]`: m and s of each target, straight from a linear layer. Targets are
 * `[...]`, and so are the unreduced losses. Finite for outputs of any size that f32's squares allow.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an `eps` that is not positive, a `beta`
 * outside of [0, 1], an unknown reduction or a negative `sampleWeight`.
 *
 * Source: Nix and Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", 1994; Kendall
 * and Gal, "What Uncertainties Do We Need in Bayesian Deep Learning", 2017. beta: Seitzer et al., "On the Pitfalls of
 * Heteroscedastic Uncertainty Estimation", 2022. PyTorch has `nn.GaussianNLLLoss`, here `gaussianNLL`, of a variance.
 *
 * @example
 * ```ts
 * import { heteroscedastic } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * // Means 1 and 2; variances 1 and e.
 * heteroscedastic(tensor([[1, 0], [2, 1]]), tensor([1, 4])).item(); // → 0.6179
 * ```
 */
export function heteroscedastic(
  predictions: Tensor,
  targets: Tensor,
  options: HeteroscedasticOptions = {},
): Tensor {
  const { full = false, eps = 1e-6, beta = 0 } = options;
  checkOutputs("heteroscedastic", predictions, targets, ["mean", "log-variance"]);
  checkOption("heteroscedastic", "eps", eps, eps > 0, "more than 0");
  checkOption("heteroscedastic", "beta", beta, beta >= 0 && beta <= 1, "in [0, 1]");
  const s = raiseTo(outputOf(predictions, 1), Math.log(eps));
  const error = targets.cast(predictions.dtype).sub(outputOf(predictions, 0));
  let losses = error.square().mul(s.neg().exp()).add(s).mul(0.5);
  if (full) losses = losses.add(0.5 * Math.log(2 * Math.PI));
  // No more than exp(80), so that the weight is finite.
  if (beta > 0) losses = losses.mul(s.minimum(80).mul(beta).exp().detach());
  return reduceLoss("heteroscedastic", losses, options);
}
