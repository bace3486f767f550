import type { Rule, Schedule } from "@gradus/core";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { runningProduct } from "./running-product.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface NadamOptions {
  /** The learning rate, or a schedule of it. Default 2e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last second moment is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator, after the root. Default 1e-8. */
  readonly eps?: number;
  /** How fast `beta1` grows from its half to its whole, through `0.96^(t momentumDecay)`. Default 4e-3. */
  readonly momentumDecay?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Take `lr weightDecay p` off the parameter instead, as AdamW does. Default false. */
  readonly decoupledDecay?: boolean;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * NAdam: {@link adam} with Nesterov's look ahead. At step t = 1, 2, ...:
 *
 * ```text
 * mu(t) = beta1 (1 - 0.96^(t momentumDecay) / 2)
 * g = g + weightDecay p
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2
 * n = mu(t + 1) m / (1 - mu(1) ... mu(t + 1)) + (1 - mu(t)) g / (1 - mu(1) ... mu(t))
 * p = p - lr n / (sqrt(v / (1 - beta2^t)) + eps)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps`, `momentumDecay` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.NAdam` as documented (the code of 1.13 deviated from it); Dozat, "Incorporating Nesterov
 * Momentum into Adam", 2016.
 *
 * @example
 * ```ts
 * import { applyUpdates, nadam } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = nadam({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.8944, -0.8944]
 * ```
 */
export function nadam(options: NadamOptions = {}): Rule {
  const { lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, momentumDecay = 4e-3 } = options;
  const { weightDecay, decoupledDecay = false, maximize } = options;
  checkDecay("nadam", { beta1, beta2 });
  checkNonNegative("nadam", { eps, momentumDecay });
  const mu = (i: number): number => beta1 * (1 - 0.5 * 0.96 ** ((i + 1) * momentumDecay));
  const product = runningProduct(mu);

  return leafRule({
    name: "nadam",
    lr,
    weightDecay,
    decay: decoupledDecay ? "parameter" : "gradient",
    maximize,
    slots: { firstMoment: zeros, secondMoment: zeros },

    at(step) {
      // As in Adam, the root of 1 - beta2^t moves from v to the factors.
      const root = (t: number): number => Math.sqrt(1 - beta2 ** (t + 1));
      const rate = (t: number): number => -scheduleAt(lr, t) * root(t);
      const ofGradient = step.map((t) => (rate(t) * (1 - mu(t))) / (1 - product(t + 1)));
      const ofMoment = step.map((t) => (rate(t) * mu(t + 1)) / (1 - product(t + 1) * mu(t + 1)));
      const epsilon = step.map((t) => eps * root(t));
      return (g, _, { firstMoment, secondMoment }) => {
        const m = movingAverage(firstMoment, g, beta1);
        const v = movingAverage(secondMoment, g.square(), beta2);
        const update = m.mul(ofMoment).add(g.mul(ofGradient)).div(v.sqrt().add(epsilon));
        return [update, { firstMoment: m, secondMoment: v }];
      };
    },

    hyper: () => ({ beta1, beta2, eps, momentumDecay }),
  });
}
