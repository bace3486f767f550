import type { Rule, Schedule } from "@gradus/core";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface RadamOptions {
  /** The learning rate, or a schedule of it. Default 1e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last second moment is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment, before its correction. Default 1e-8. */
  readonly eps?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Take `lr weightDecay p` off the parameter instead, as AdamW does. Default false. */
  readonly decoupledDecay?: boolean;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * RAdam: {@link adam} that adapts only once the second moment is known well enough, by degrees; until then it is
 * SGD with momentum. At step t = 1, 2, ...:
 *
 * ```text
 * g = g + weightDecay p
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2
 * long = 2 / (1 - beta2) - 1
 * rho = long - 2 t beta2^t / (1 - beta2^t)
 * r = sqrt((rho - 4) (rho - 2) long / ((long - 4) (long - 2) rho))
 * a = rho > 5 ? r sqrt(1 - beta2^t) / (sqrt(v) + eps) : 1
 * p = p - lr a m / (1 - beta1^t)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.RAdam`; Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020.
 *
 * @example
 * ```ts
 * import { applyUpdates, radam } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = radam({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.95, -0.7]
 * ```
 */
export function radam(options: RadamOptions = {}): Rule {
  const {
    lr = 1e-3,
    beta1 = 0.9,
    beta2 = 0.999,
    eps = 1e-8,
    weightDecay,
    decoupledDecay = false,
    maximize,
  } = options;
  checkDecay("radam", { beta1, beta2 });
  checkNonNegative("radam", { eps });
  const long = 2 / (1 - beta2) - 1;

  /** The factor of adapted steps; 0 while there are none. */
  function rectification(t: number): number {
    const rest = 1 - beta2 ** t;
    const rho = long - (2 * t * beta2 ** t) / rest;
    if (!(rho > 5)) return 0;
    return Math.sqrt((((rho - 4) * (rho - 2) * long) / ((long - 4) * (long - 2) * rho)) * rest);
  }

  return leafRule({
    name: "radam",
    lr,
    weightDecay,
    decay: decoupledDecay ? "parameter" : "gradient",
    maximize,
    slots: { firstMoment: zeros, secondMoment: zeros },

    at(step) {
      const rate = (t: number): number => -scheduleAt(lr, t) / (1 - beta1 ** (t + 1));
      // One of the two is 0, so that early and late steps are one program.
      const adapted = step.map((t) => rate(t) * rectification(t + 1));
      const plain = step.map((t) => (rectification(t + 1) === 0 ? rate(t) : 0));
      return (g, _, { firstMoment, secondMoment }) => {
        const m = movingAverage(firstMoment, g, beta1);
        const v = movingAverage(secondMoment, g.square(), beta2);
        const update = m.mul(adapted).div(v.sqrt().add(eps)).add(m.mul(plain));
        return [update, { firstMoment: m, secondMoment: v }];
      };
    },

    hyper: () => ({ beta1, beta2, eps }),
  });
}
