import type { Rule, Schedule } from "@gradus/core";
import { adamRule } from "./adam-rule.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdamOptions {
  /** The learning rate, or a schedule of it. Default 1e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1), or a schedule of it (see `oneCycle`). Default 0.9. */
  readonly beta1?: Schedule;
  /** How much of the last second moment is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator, after the root. Default 1e-8. */
  readonly eps?: number;
  /**
   * Added to the gradient, times the parameter: an L2 penalty, which Adam rescales with it (see `adamw`).
   * Default 0.
   */
  readonly weightDecay?: WeightDecay;
  /** Divide by the greatest second moment so far (AMSGrad). Default false. */
  readonly amsgrad?: boolean;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Adam: each parameter's step is its mean gradient over the root of its mean squared gradient. At step t = 1,
 * 2, ...:
 *
 * ```text
 * g = g + weightDecay p
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2
 * p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * ```
 *
 * With `amsgrad` the greatest v so far stands in the last line.
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, betas outside of [0, 1), and an
 * empty parameter tree; `update` throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Adam`; Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; AMSGrad:
 * Reddi et al., "On the Convergence of Adam and Beyond", 2018.
 *
 * @example
 * ```ts
 * import { adam, applyUpdates } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adam({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function adam(options: AdamOptions = {}): Rule {
  return adamRule("adam", options, { decay: "gradient", weightDecay: options.weightDecay ?? 0 });
}
