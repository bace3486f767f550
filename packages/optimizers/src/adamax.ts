import type { Rule, Schedule } from "@gradus/core";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdamaxOptions {
  /** The learning rate, or a schedule of it. Default 2e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** How much of the last greatest gradient is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the absolute gradient. Default 1e-8. */
  readonly eps?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Adamax: {@link adam} with the greatest gradient so far, slowly forgotten, in place of the mean square. At step t =
 * 1, 2, ...:
 *
 * ```text
 * g = g + weightDecay p
 * m = beta1 m + (1 - beta1) g
 * u = max(beta2 u, |g| + eps)
 * p = p - lr m / (1 - beta1^t) / u
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Adamax`; Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.1.
 *
 * @example
 * ```ts
 * import { applyUpdates, adamax } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adamax({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function adamax(options: AdamaxOptions = {}): Rule {
  const { lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay, maximize } = options;
  checkDecay("adamax", { beta1, beta2 });
  checkNonNegative("adamax", { eps });

  return leafRule({
    name: "adamax",
    lr,
    weightDecay,
    maximize,
    slots: { firstMoment: zeros, greatest: zeros },

    at(step) {
      const rate = step.map((t) => -scheduleAt(lr, t) / (1 - beta1 ** (t + 1)));
      return (g, _, slots) => {
        const firstMoment = movingAverage(slots.firstMoment, g, beta1);
        const greatest = slots.greatest.mul(beta2).maximum(g.abs().add(eps));
        return [firstMoment.mul(rate).div(greatest), { firstMoment, greatest }];
      };
    },

    hyper: () => ({ beta1, beta2, eps }),
  });
}
