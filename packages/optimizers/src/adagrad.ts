import type { Rule, Schedule } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdagradOptions {
  /** The learning rate, or a schedule of it. Default 0.01. */
  readonly lr?: Schedule;
  /** How fast the learning rate falls: it is divided by `1 + t lrDecay`. Default 0. */
  readonly lrDecay?: number;
  /** Where the sums of squares begin. Default 0. */
  readonly initialAccumulator?: number;
  /** Added to the denominator, after the root. Default 1e-10. */
  readonly eps?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Adagrad: each parameter's step is divided by the root of the sum of all its squared gradients. At step t = 0, 1,
 * ...:
 *
 * ```text
 * g = g + weightDecay p
 * s = s + g^2                             (s = initialAccumulator before the first step)
 * p = p - lr / (1 + t lrDecay) g / (sqrt(s) + eps)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `lrDecay`, `initialAccumulator`, `eps` or `weightDecay`, and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Adagrad`; Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic
 * Optimization", 2011.
 *
 * @example
 * ```ts
 * import { applyUpdates, adagrad } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adagrad({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function adagrad(options: AdagradOptions = {}): Rule {
  const { lr = 0.01, lrDecay = 0, initialAccumulator = 0, eps = 1e-10, weightDecay, maximize } = options;
  checkNonNegative("adagrad", { lrDecay, initialAccumulator, eps });

  return leafRule({
    name: "adagrad",
    lr,
    weightDecay,
    maximize,
    slots: { sumOfSquares: (p) => zeros(p).add(initialAccumulator) },

    at(step) {
      const rate = step.map((t) => -scheduleAt(lr, t) / (1 + t * lrDecay));
      return (g, _, slots) => {
        const sumOfSquares = slots.sumOfSquares.add(g.square());
        return [g.mul(rate).div(sumOfSquares.sqrt().add(eps)), { sumOfSquares }];
      };
    },

    hyper: () => ({ lrDecay, eps }),
  });
}
