import { fail, type Rule, type Schedule } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdadeltaOptions {
  /** The learning rate, or a schedule of it. Default 1. */
  readonly lr?: Schedule;
  /** How much of the last averages is kept, in [0, 1]. Default 0.9. */
  readonly rho?: number;
  /** Added to both averages, under the root. Default 1e-6. */
  readonly eps?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Adadelta: steps whose size is that of the last steps, in proportion to the gradient's usual size.
 *
 * ```text
 * g = g + weightDecay p
 * v = rho v + (1 - rho) g^2
 * d = sqrt(u + eps) / sqrt(v + eps) g
 * u = rho u + (1 - rho) d^2
 * p = p - lr d
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, `rho` outside of [0, 1], and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Adadelta`; Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
 *
 * @example
 * ```ts
 * import { applyUpdates, adadelta } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adadelta({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9997, -0.9997]
 * ```
 */
export function adadelta(options: AdadeltaOptions = {}): Rule {
  const { lr = 1, rho = 0.9, eps = 1e-6, weightDecay, maximize } = options;
  if (!(rho >= 0 && rho <= 1)) fail("invalid-argument", `adadelta: rho must be in [0, 1], got ${rho}`);
  checkNonNegative("adadelta", { eps });

  return leafRule({
    name: "adadelta",
    lr,
    weightDecay,
    maximize,
    slots: { secondMoment: zeros, squaredSteps: zeros },

    at(step) {
      const rate = step.map((t) => -scheduleAt(lr, t));
      return (g, _, slots) => {
        const secondMoment = movingAverage(slots.secondMoment, g.square(), rho);
        const d = slots.squaredSteps.add(eps).sqrt().div(secondMoment.add(eps).sqrt()).mul(g);
        const squaredSteps = movingAverage(slots.squaredSteps, d.square(), rho);
        return [d.mul(rate), { secondMoment, squaredSteps }];
      };
    },

    hyper: () => ({ rho, eps }),
  });
}
