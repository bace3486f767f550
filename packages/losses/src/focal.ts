import type { Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { checkTargetProbabilities } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface FocalOptions extends LossOptions {
  /** How much a positive target counts, in [0, 1]; a negative one counts `1 - alpha`. Default 0.25. */
  readonly alpha?: number;
  /** How much less the easy examples count; 0 for not at all. Default 2. */
  readonly gamma?: number;
}

/**
 * The binary cross-entropy of `sigmoid(logits)` in which examples count the less the better they are
 * classified: `-alpha t (1 - p)^gamma log p - (1 - alpha) (1 - t) p^gamma log(1 - p)`, averaged.
 *
 * Logits (f32 or f64) and targets have the same shape; targets are 0 and 1, or anything between for a
 * mixture of both terms. Value and gradient are finite for logits of any size and every gamma.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an `alpha` outside of [0, 1], a
 * negative `gamma`, an unknown reduction, and (see `validate`) targets outside of [0, 1] or negative weights.
 *
 * Source: Lin et al., "Focal Loss for Dense Object Detection", 2017; torchvision's `sigmoid_focal_loss`, whose
 * default reduction is `none`.
 *
 * @example
 * ```ts
 * import { focal } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const losses = focal(tensor([0, 0, 5]), tensor([1, 0, 1]), { reduction: "none" });
 * console.log(losses); // → Tensor f32[3] [0.0433, 0.13, 7.5202e-8]
 * ```
 */
export function focal(logits: Tensor, targets: Tensor, options: FocalOptions = {}): Tensor {
  const { alpha = 0.25, gamma = 2, validate } = options;
  checkAlike("focal", "logits", logits, targets);
  checkOption("focal", "alpha", alpha, alpha >= 0 && alpha <= 1, "in [0, 1]");
  checkOption("focal", "gamma", gamma, gamma >= 0, "at least 0");
  checkTargetProbabilities("focal", "logits", targets, logits, validate);
  const t = targets.cast(logits.dtype);
  const positive = t.mul(alpha).mul(focused(logits, gamma));
  const negative = t
    .neg()
    .add(1)
    .mul(1 - alpha)
    .mul(focused(logits.neg(), gamma));
  return reduceLoss("focal", positive.add(negative), options);
}

/** `-(1 - p)^gamma log p` of `p = sigmoid(x)`; the power as an exponential, whose slope is finite at p = 1 too. */
function focused(x: Tensor, gamma: number): Tensor {
  return x.neg().logSigmoid().mul(gamma).exp().mul(x.neg().softplus());
}
