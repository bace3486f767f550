import type { Rule, Schedule } from "@gradus/core";
import { adamFactors } from "./adam-factors.js";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdabeliefOptions {
  /** The learning rate, or a schedule of it. Default 1e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last variance is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the variance at every step, and to its root. Default 1e-16. */
  readonly eps?: number;
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * AdaBelief: {@link adam} that divides by how much the gradient deviates from its mean, instead of by its size: it
 * goes far where gradients come as expected. At step t = 1, 2, ...:
 *
 * ```text
 * m = beta1 m + (1 - beta1) g
 * s = beta2 s + (1 - beta2) (g - m)^2 + eps
 * p = p - lr (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + eps) - lr weightDecay p
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Zhuang et al., "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", 2020, with the
 * authors' defaults.
 *
 * @example
 * ```ts
 * import { applyUpdates, adabelief } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adabelief({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.8889, -0.8889]
 * ```
 */
export function adabelief(options: AdabeliefOptions = {}): Rule {
  const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-16, weightDecay, maximize } = options;
  checkDecay("adabelief", { beta1, beta2 });
  checkNonNegative("adabelief", { eps });

  return leafRule({
    name: "adabelief",
    lr,
    weightDecay,
    decay: "parameter",
    maximize,
    slots: { firstMoment: zeros, variance: zeros },

    at(step) {
      const { rate, epsilon } = adamFactors(step, { lr, beta1, beta2, eps });
      return (g, _, slots) => {
        const firstMoment = movingAverage(slots.firstMoment, g, beta1);
        const variance = movingAverage(slots.variance, g.sub(firstMoment).square(), beta2).add(eps);
        return [firstMoment.mul(rate).div(variance.sqrt().add(epsilon)), { firstMoment, variance }];
      };
    },

    hyper: () => ({ beta1, beta2, eps }),
  });
}
