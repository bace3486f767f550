import type { Rule, Schedule } from "@gradus/core";
import { checkDecay } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface LionOptions {
  /** The learning rate, or a schedule of it. Default 1e-4. */
  readonly lr?: Schedule;
  /** How much of the last momentum, in the step, is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last momentum is kept, in [0, 1). Default 0.99. */
  readonly beta2?: number;
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Lion: the sign of a momentum. One slot where Adam has two; wants a learning rate 3 to 10 times smaller than
 * AdamW's, and a weight decay as many times greater.
 *
 * ```text
 * p = p - lr (sign(beta1 m + (1 - beta1) g) + weightDecay p)
 * m = beta2 m + (1 - beta2) g
 * ```
 *
 * @throws `invalid-argument` for a negative `lr` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
 *
 * @example
 * ```ts
 * import { applyUpdates, lion } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = lion({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function lion(options: LionOptions = {}): Rule {
  const { lr = 1e-4, beta1 = 0.9, beta2 = 0.99, weightDecay, maximize } = options;
  checkDecay("lion", { beta1, beta2 });

  return leafRule({
    name: "lion",
    lr,
    weightDecay,
    decay: "parameter",
    maximize,
    slots: { momentum: zeros },

    at(step) {
      const rate = step.map((t) => -scheduleAt(lr, t));
      return (g, _, { momentum }) => [
        movingAverage(momentum, g, beta1).sign().mul(rate),
        { momentum: movingAverage(momentum, g, beta2) },
      ];
    },

    hyper: () => ({ beta1, beta2 }),
  });
}
