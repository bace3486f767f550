import type { Rule, Schedule } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { leafRule } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AsgdOptions {
  /** The learning rate, or a schedule of it. Default 0.01. */
  readonly lr?: Schedule;
  /** How fast parameters and learning rate decay. Default 1e-4. */
  readonly lambda?: number;
  /** The power with which the learning rate decays. Default 0.75. */
  readonly alpha?: number;
  /** The step at which averaging begins. Default 1e6. */
  readonly averageFrom?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Averaged stochastic gradient descent: plain steps at a falling rate, and the mean of the parameters that they went
 * through, which `evalParams` gives. At step t = 0, 1, ...:
 *
 * ```text
 * g = g + weightDecay p
 * eta = lr / (1 + lambda lr t)^alpha
 * p = p - eta (g + lambda p)
 * a = a + (p - a) / max(1, t - averageFrom)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `lambda`, `alpha`, `averageFrom` or `weightDecay`, and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.ASGD` (its option `lambd` is `lambda` here, `t0` is `averageFrom`); Polyak and Juditsky,
 * "Acceleration of Stochastic Approximation by Averaging", 1992.
 *
 * @example
 * ```ts
 * import { applyUpdates, asgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = asgd({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.95, -0.7]
 * ```
 */
export function asgd(options: AsgdOptions = {}): Rule {
  const { lr = 0.01, lambda = 1e-4, alpha = 0.75, averageFrom = 1e6, weightDecay, maximize } = options;
  checkNonNegative("asgd", { lambda, alpha, averageFrom });

  const rule = leafRule({
    name: "asgd",
    lr,
    weightDecay,
    maximize,
    // A copy: parameters and state may be given away separately.
    slots: { average: (p) => p.mul(1) },

    at(step) {
      const rate = (t: number): number => {
        const base = scheduleAt(lr, t);
        return base / (1 + lambda * base * t) ** alpha;
      };
      const ofGradient = step.map((t) => -rate(t));
      const ofParameter = step.map((t) => -rate(t) * lambda);
      const joining = step.map((t) => 1 / Math.max(1, t - averageFrom));
      const kept = joining.map((weight) => 1 - weight);
      return (g, p, slots) => {
        const update = g.mul(ofGradient).add(p.mul(ofParameter));
        const average = slots.average.mul(kept).add(p.add(update).mul(joining));
        return [update, { average }];
      };
    },

    hyper: () => ({ lambda, alpha, averageFrom }),
  });
  return { ...rule, evalParams: (_, { slots }) => slots.average as typeof _ };
}
