import type { Rule, Schedule } from "@gradus/core";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import { settled } from "./settled.js";
import type { WeightDecay } from "./weight-decay.js";

export interface RmspropOptions {
  /** The learning rate, or a schedule of it. Default 0.01. */
  readonly lr?: Schedule;
  /** How much of the last averages is kept, in [0, 1). Default 0.99. */
  readonly alpha?: number;
  /** Added to the denominator, after the root. Default 1e-8. */
  readonly eps?: number;
  /** How much of the last velocity is kept. Default 0: no velocity. */
  readonly momentum?: number;
  /** Divide by the standard deviation of the gradient instead of its root mean square. Default false. */
  readonly centered?: boolean;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * RMSprop: each parameter's gradient over its root mean square.
 *
 * ```text
 * g = g + weightDecay p
 * v = alpha v + (1 - alpha) g^2
 * a = alpha a + (1 - alpha) g                              (only if centered)
 * d = g / (sqrt(centered ? v - a^2 : v) + eps)
 * b = momentum b + d                                       (only with momentum)
 * p = p - lr (momentum > 0 ? b : d)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps`, `momentum` or `weightDecay`, `alpha` outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.RMSprop`; Hinton's lecture 6e of "Neural Networks for Machine Learning", 2012; centered:
 * Graves, "Generating Sequences With Recurrent Neural Networks", 2013.
 *
 * @example
 * ```ts
 * import { applyUpdates, rmsprop } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = rmsprop({ lr: 0.01 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function rmsprop(options: RmspropOptions = {}): Rule {
  const { lr = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, centered = false } = options;
  const { weightDecay, maximize } = options;
  checkDecay("rmsprop", { alpha });
  checkNonNegative("rmsprop", { eps, momentum });

  return leafRule({
    name: "rmsprop",
    lr,
    weightDecay,
    maximize,
    slots: {
      secondMoment: zeros,
      ...(centered && { firstMoment: zeros }),
      ...(momentum > 0 && { velocity: zeros }),
    },

    at(step) {
      const rate = step.map((t) => -scheduleAt(lr, t));
      return (g, _, slots) => {
        const secondMoment = movingAverage(slots.secondMoment, g.square(), alpha);
        const firstMoment = slots.firstMoment && movingAverage(slots.firstMoment, g, alpha);
        const variance = firstMoment === undefined ? secondMoment : secondMoment.sub(firstMoment.square());
        const d = g.div(variance.sqrt().add(eps));
        const velocity = slots.velocity && settled(slots.velocity.mul(momentum).add(d));
        const kept = { ...(firstMoment && { firstMoment }), ...(velocity && { velocity }) };
        return [(velocity ?? d).mul(rate), { secondMoment, ...kept }];
      };
    },

    hyper: () => ({ alpha, eps, momentum }),
  });
}
