import type { Tensor } from "@gradus/core";
import { checkOption } from "./check-arguments.js";
import { checkOutputs, outputOf } from "./outputs.js";
import { raiseTo } from "./raise-to.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface TobitOptions extends LossOptions {
  /** Targets at this bound or below stand for anything less. Default -Infinity: there is none. */
  readonly lower?: number;
  /** Targets at this bound or above stand for anything more. Default Infinity: there is none. */
  readonly upper?: number;
}

/** The least logarithm of a standard deviation: it keeps squares in the range of f32. */
const LEAST = Math.log(1e-3);

/**
 * Regression on censored targets, of which some are known only to lie at or beyond a bound (a sensor's limit, a capped
 * price, the end of a study): the negative log-likelihood under Gaussians of mean m and standard deviation `exp(s)`,
 * where a target at a bound counts as the probability of everything beyond it, averaged. With z = (t - m) / exp(s) that
 * is `z^2 / 2 + s + log(2 pi) / 2` of a target between the bounds, `-log Phi(z)` of one at `lower`, `-log Phi(-z)` of one
 * at `upper`.
 *
 * Predictions are f32 or f64, `[..., 2]`: m and s of each target, straight from a linear layer. Targets are `[...]`,
 * and so are the unreduced losses. Standard deviations are raised to 0.001, without changing their gradient.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for bounds in the wrong order, an unknown reduction
 * or a negative `sampleWeight`.
 *
 * Source: Tobin, "Estimation of Relationships for Limited Dependent Variables", 1958. PyTorch has none.
 *
 * @example
 * ```ts
 * import { tobit } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * // The second target is at the bound, and 1 below the mean: probability Phi(1) = 0.8413 of being there.
 * const losses = tobit(tensor([[1, 0], [6, 0]]), tensor([1, 5]), { upper: 5, reduction: "none" });
 * console.log(losses); // → Tensor f32[2] [0.9189, 0.1728]
 * ```
 */
export function tobit(predictions: Tensor, targets: Tensor, options: TobitOptions = {}): Tensor {
  const { lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY } = options;
  checkOutputs("tobit", predictions, targets, ["mean", "log of the standard deviation"]);
  checkOption("tobit", "lower", lower, lower < upper, `less than upper (${upper})`);
  const s = raiseTo(outputOf(predictions, 1), LEAST);
  const t = targets.cast(predictions.dtype);
  const z = t.sub(outputOf(predictions, 0)).mul(s.neg().exp());
  let losses = z
    .square()
    .mul(0.5)
    .add(s)
    .add(0.5 * Math.log(2 * Math.PI));
  if (upper < Number.POSITIVE_INFINITY) losses = t.ge(upper).where(logPhi(z.neg()).neg(), losses);
  if (lower > Number.NEGATIVE_INFINITY) losses = t.le(lower).where(logPhi(z).neg(), losses);
  return reduceLoss("tobit", losses, options);
}

/** The logarithm of the standard normal distribution function, in three parts, none of which underflows. */
function logPhi(z: Tensor): Tensor {
  const upper = z.maximum(0).mul(Math.SQRT1_2).erfc().mul(-0.5).log1p();
  const middle = z.clamp(-10, 0).mul(-Math.SQRT1_2).erfc().mul(0.5).log();
  // The asymptotic series of the tail.
  const tail = z.minimum(-10);
  const inverse = tail.square().reciprocal();
  let series = inverse.mul(-945);
  for (const coefficient of [105, -15, 3, -1]) series = series.add(coefficient).mul(inverse);
  const far = tail
    .square()
    .mul(-0.5)
    .sub(tail.neg().log())
    .add(series.log1p())
    .sub(0.5 * Math.log(2 * Math.PI));
  return z.gt(0).where(upper, z.lt(-10).where(far, middle));
}
