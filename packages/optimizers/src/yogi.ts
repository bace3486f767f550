import type { Rule, Schedule } from "@gradus/core";
import { adamFactors } from "./adam-factors.js";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import type { WeightDecay } from "./weight-decay.js";

export interface YogiOptions {
  /** The learning rate, or a schedule of it. Default 0.01. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last second moment is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator, after the root. Default 1e-3. */
  readonly eps?: number;
  /** Where the second moments begin. Default 1e-6. */
  readonly initialAccumulator?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Yogi: {@link adam} whose second moment grows and falls by steps in proportion to the gradient's square alone, so
 * that it does not forget rare large gradients at once. At step t = 1, 2, ...:
 *
 * ```text
 * g = g + weightDecay p
 * m = beta1 m + (1 - beta1) g
 * v = v - (1 - beta2) sign(v - g^2) g^2       (v = initialAccumulator before the first step)
 * p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps`, `initialAccumulator` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Zaheer et al., "Adaptive Methods for Nonconvex Optimization", 2018; the corrections of both moments are those
 * of Optax.
 *
 * @example
 * ```ts
 * import { applyUpdates, yogi } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = yogi({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9004, -0.9]
 * ```
 */
export function yogi(options: YogiOptions = {}): Rule {
  const { lr = 0.01, beta1 = 0.9, beta2 = 0.999, eps = 1e-3, initialAccumulator = 1e-6 } = options;
  const { weightDecay, maximize } = options;
  checkDecay("yogi", { beta1, beta2 });
  checkNonNegative("yogi", { eps, initialAccumulator });

  return leafRule({
    name: "yogi",
    lr,
    weightDecay,
    maximize,
    slots: { firstMoment: zeros, secondMoment: (p) => zeros(p).add(initialAccumulator) },

    at(step) {
      const { rate, epsilon } = adamFactors(step, { lr, beta1, beta2, eps });
      return (g, _, slots) => {
        const square = g.square();
        const firstMoment = movingAverage(slots.firstMoment, g, beta1);
        const v = slots.secondMoment;
        const secondMoment = v.sub(
          v
            .sub(square)
            .sign()
            .mul(square)
            .mul(1 - beta2),
        );
        return [firstMoment.mul(rate).div(secondMoment.sqrt().add(epsilon)), { firstMoment, secondMoment }];
      };
    },

    hyper: () => ({ beta1, beta2, eps }),
  });
}
