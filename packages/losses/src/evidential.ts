import { fail, formatShape, type Tensor } from "@gradus/core";
import { checkOption, checkTensors } from "./check-arguments.js";
import { checkOutputs, outputOf } from "./outputs.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface EvidentialOptions extends LossOptions {
  /** How much evidence for wrong predictions costs, at least 0. Default 0.01, as in the paper's first experiment. */
  readonly lambda?: number;
}

/**
 * Deep evidential regression: the network predicts a distribution over means and variances (a normal-inverse-gamma
 * one), and so how much it knows. The negative log-likelihood of the targets t under it, plus
 * `lambda |t - gamma| (2 nu + alpha)`, averaged:
 *
 * `log(pi / nu) / 2 - alpha log W + (alpha + 1/2) log((t - gamma)^2 nu + W) + log(G(alpha) / G(alpha + 1/2))`
 * with `W = 2 beta (1 + nu)` and the gamma function G.
 *
 * Predictions are f32 or f64, `[..., 4]`, straight from a linear layer: gamma, then what becomes
 * `nu = softplus(.)`, `alpha = 1 + softplus(.)` and `beta = softplus(.)`; see `evidence`. Targets are `[...]`, and so are
 * the unreduced losses. Finite for outputs of any size that f32's squares allow: parameters that underflow are kept as
 * logarithms.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a negative `lambda`, an unknown reduction or a
 * negative `sampleWeight`.
 *
 * Source: Amini et al., "Deep Evidential Regression", 2020. PyTorch has none.
 *
 * @example
 * ```ts
 * import { evidential } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const outputs = tensor([[1, 0, 0, 0], [2, 0.5, -1, 1]]);
 * evidential(outputs, tensor([1.5, 2])).item(); // → 1.2643
 * ```
 */
export function evidential(predictions: Tensor, targets: Tensor, options: EvidentialOptions = {}): Tensor {
  const { lambda = 0.01 } = options;
  checkOutputs("evidential", predictions, targets, outputNames);
  checkOption("evidential", "lambda", lambda, lambda >= 0 && lambda < Number.POSITIVE_INFINITY, "at least 0");
  const { gamma, nu, alpha } = parameters(predictions);
  const logNu = logSoftplus(outputOf(predictions, 1));
  const logW = logSoftplus(outputOf(predictions, 3)).add(nu.log1p()).add(Math.LN2);
  const distance = targets.cast(predictions.dtype).sub(gamma).abs();
  // How the two terms of log((t - gamma)^2 nu + W) compare, as a logarithm; a distance of 0 is merely tiny.
  const excess = distance.maximum(1e-30).log().mul(2).add(logNu).sub(logW);
  const likelihood = logW
    .sub(logNu)
    .add(Math.log(Math.PI))
    .mul(0.5)
    .add(alpha.add(0.5).mul(excess.softplus()))
    .add(logGammaRatio(alpha));
  const losses = lambda === 0 ? likelihood : likelihood.add(distance.mul(nu.mul(2).add(alpha)).mul(lambda));
  return reduceLoss("evidential", losses, options);
}

const outputNames = ["gamma", "nu", "alpha", "beta"] as const;

/** What a network trained by `evidential` says about each target. */
export interface Evidence {
  readonly mean: Tensor;
  /** The expected noise of the targets, `beta / (alpha - 1)`: no data would reduce it. */
  readonly aleatoricVariance: Tensor;
  /** How uncertain the mean is, `beta / (nu (alpha - 1))`: more data would reduce it. */
  readonly epistemicVariance: Tensor;
}

/**
 * Mean and variances from the outputs `[..., 4]` of a network trained by `evidential`, each `[...]`.
 *
 * @throws `shape-mismatch` or `dtype-mismatch` for anything else.
 *
 * Source: Amini et al., "Deep Evidential Regression", 2020, equation 5.
 *
 * @example
 * ```ts
 * import { evidence } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const { mean, aleatoricVariance, epistemicVariance } = evidence(tensor([[1, 0, 0, 0]]));
 * console.log(mean, aleatoricVariance, epistemicVariance); // → Tensor f32[1] [1] Tensor f32[1] [1] Tensor f32[1] [1.4427]
 * ```
 */
export function evidence(predictions: Tensor): Evidence {
  checkTensors("evidence", "predictions", predictions, predictions);
  if (predictions.shape.at(-1) !== 4) {
    const shape = formatShape(predictions.shape);
    fail(
      "shape-mismatch",
      `evidence: predictions must be [..., 4] with ${outputNames.join(", ")}, got ${shape}`,
    );
  }
  const { gamma, nu, alpha, beta } = parameters(predictions);
  const aleatoricVariance = beta.div(alpha.sub(1));
  return { mean: gamma, aleatoricVariance, epistemicVariance: aleatoricVariance.div(nu) };
}

function parameters(predictions: Tensor): {
  readonly gamma: Tensor;
  readonly nu: Tensor;
  readonly alpha: Tensor;
  readonly beta: Tensor;
} {
  const positive = (i: number): Tensor => outputOf(predictions, i).softplus();
  return { gamma: outputOf(predictions, 0), nu: positive(1), alpha: positive(2).add(1), beta: positive(3) };
}

/** `log(softplus(x))`; where that underflows it is x. */
function logSoftplus(x: Tensor): Tensor {
  return x.lt(-40).where(x, x.maximum(-40).softplus().log());
}

/** `log(G(a) / G(a + 1/2))` for a of at least 1. Of large ones by Stirling's series, since the logarithms nearly cancel. */
function logGammaRatio(a: Tensor): Tensor {
  const near = a.minimum(8);
  const far = a.maximum(8);
  const inverse = far.reciprocal();
  const square = inverse.square();
  let series = square.mul(-31 / 18432);
  for (const coefficient of [17 / 14336, -1 / 640, 1 / 192]) series = series.add(coefficient).mul(square);
  series = series.sub(1 / 8).mul(inverse);
  const large = far.log().mul(0.5).add(series).neg();
  return a.lt(8).where(near.lgamma().sub(near.add(0.5).lgamma()), large);
}
