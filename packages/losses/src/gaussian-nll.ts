import { fail, formatShape, type Shape, sameShape, type Tensor } from "@gradus/core";
import { checkAlike, checkOption, checkTensors } from "./check-arguments.js";
import { checkNotNegative } from "./check-values.js";
import { raiseTo } from "./raise-to.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface GaussianNLLOptions extends LossOptions {
  /** Whether to add the constant `log(2 pi) / 2`. Default false. */
  readonly full?: boolean;
  /** Variances are raised to this, without changing their gradient. Default 1e-6. */
  readonly eps?: number;
}

/**
 * The negative log-likelihood of targets under Gaussians of predicted mean and variance v, averaged:
 * `(log v + (predictions - targets)^2 / v) / 2`.
 *
 * Predictions (f32 or f64) and targets have the same shape. Variances have it too, or 1 on the last axis, or
 * lack that axis.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an `eps` that is not positive, an
 * unknown reduction, and (see `validate`) negative variances or weights.
 *
 * Source: PyTorch's `nn.GaussianNLLLoss`; `sampleWeight` is an addition. Nix and Weigend, "Estimating the
 * Mean and Variance of the Target Probability Distribution", 1994.
 *
 * @example
 * ```ts
 * import { gaussianNLL } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * gaussianNLL(tensor([1, 2]), tensor([1, 4]), tensor([1, 2])).item(); // → 0.6733
 * ```
 */
export function gaussianNLL(
  predictions: Tensor,
  targets: Tensor,
  variances: Tensor,
  options: GaussianNLLOptions = {},
): Tensor {
  const { full = false, eps = 1e-6, validate } = options;
  checkTensors("gaussianNLL", "predictions", predictions, variances, "variances");
  checkAlike("gaussianNLL", "predictions", predictions, targets);
  checkOption("gaussianNLL", "eps", eps, eps > 0, "more than 0");
  const mend = "A layer's output becomes positive with softplus() or exp()";
  checkNotNegative("gaussianNLL", "variances", variances, predictions, validate, mend);
  const given = variances.cast(predictions.dtype).reshape(varianceShape(variances, predictions.shape));
  const v = raiseTo(given, eps);
  const losses = v.log().add(predictions.sub(targets).square().div(v)).mul(0.5);
  return reduceLoss("gaussianNLL", full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, options);
}

function varianceShape(variances: Tensor, shape: Shape): Shape {
  const perSample = [...shape.slice(0, -1), 1];
  if (sameShape(variances.shape, shape) || sameShape(variances.shape, perSample)) return variances.shape;
  if (shape.length > 0 && sameShape(variances.shape, shape.slice(0, -1))) return perSample;
  return fail(
    "shape-mismatch",
    `gaussianNLL: variances ${formatShape(variances.shape)} do not fit predictions ${formatShape(shape)}: expected ` +
      `that shape, or one variance per sample, ${formatShape(perSample)}`,
  );
}
