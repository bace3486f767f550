import type { Rule, Schedule } from "@gradus/core";
import { adamFactors } from "./adam-factors.js";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import { trustRatio } from "./trust-ratio.js";
import type { WeightDecay } from "./weight-decay.js";

export interface LambOptions {
  /** The learning rate, or a schedule of it. Default 1e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last second moment is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator, after the root. Default 1e-6. */
  readonly eps?: number;
  /** The share of each parameter that joins its direction. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * LAMB: Adam's direction, with a length in proportion to the parameter's norm, for very large batches. Norms are of one
 * parameter tensor. At step t = 1, 2, ...:
 *
 * ```text
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2
 * d = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weightDecay p
 * p = p - lr (norm(p) / norm(d)) d           (the ratio is 1 if one of the norms is 0)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020.
 *
 * @example
 * ```ts
 * import { applyUpdates, lamb } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = lamb({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function lamb(options: LambOptions = {}): Rule {
  const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weightDecay, maximize } = options;
  checkDecay("lamb", { beta1, beta2 });
  checkNonNegative("lamb", { eps });

  return leafRule({
    name: "lamb",
    lr,
    weightDecay,
    decay: "own",
    maximize,
    slots: { firstMoment: zeros, secondMoment: zeros },

    at(step) {
      // With a rate of 1: the direction itself, down.
      const { rate, epsilon } = adamFactors(step, { lr: 1, beta1, beta2, eps });
      const correction = rate.map((r) => -r);
      const down = step.map((t) => -scheduleAt(lr, t));
      return (g, p, slots, { weightDecay }) => {
        const firstMoment = movingAverage(slots.firstMoment, g, beta1);
        const secondMoment = movingAverage(slots.secondMoment, g.square(), beta2);
        const adam = firstMoment.mul(correction).div(secondMoment.sqrt().add(epsilon));
        const direction = weightDecay === 0 ? adam : adam.add(p.mul(weightDecay));
        const ratio = trustRatio(p.norm(), direction.norm());
        return [direction.mul(ratio).mul(down), { firstMoment, secondMoment }];
      };
    },

    hyper: () => ({ beta1, beta2, eps }),
  });
}
