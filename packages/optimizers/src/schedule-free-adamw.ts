import type { Rule, Tensor } from "@gradus/core";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { type ScheduleFreeOptions, scheduleFreeRule } from "./schedule-free.js";

export interface ScheduleFreeAdamwOptions extends ScheduleFreeOptions {
  /** How much of the last second moment is kept, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator, after the root. Default 1e-8. */
  readonly eps?: number;
}

/**
 * AdamW without a schedule: as {@link scheduleFreeSgd}, along the gradient over the root of its mean square. At step t = 1,
 * 2, ...:
 *
 * ```text
 * v = beta2 v + (1 - beta2) g^2                        (g is the gradient at y, the parameters)
 * d = g / (sqrt(v / (1 - beta2^t)) + eps) + weightDecay y
 * z = z - lr(t) d
 * ```
 *
 * and x, y as there: `beta` has the place of `beta1`. `evalParams` gives x. The default `lr` is 0.0025.
 *
 * @throws `invalid-argument` for a negative `lr`, `eps`, `weightDecay`, `r` or `weightPower`, a `beta` outside of (0, 1], a
 * `beta2` outside of [0, 1), a `warmup` that is no whole number, and an empty parameter tree; `update` throws
 * `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Defazio et al., "The Road Less Scheduled", 2024, and its authors' `AdamWScheduleFree`.
 *
 * @example
 * ```ts
 * import { applyUpdates, scheduleFreeAdamw } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = scheduleFreeAdamw({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates, state } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * const next = applyUpdates(params, updates);
 * console.log(rule.evalParams?.(next, state).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function scheduleFreeAdamw(options: ScheduleFreeAdamwOptions = {}): Rule {
  const { beta2 = 0.999, eps = 1e-8, ...shared } = options;
  checkDecay("scheduleFreeAdamw", { beta2 });
  checkNonNegative("scheduleFreeAdamw", { eps });
  return scheduleFreeRule(
    "scheduleFreeAdamw",
    { lr: 0.0025, ...shared },
    {
      slots: { secondMoment: zeros },
      at(step) {
        // As in Adam, the root of 1 - beta2^t moves from v to the factors.
        const root = step.map((t) => Math.sqrt(1 - beta2 ** (t + 1)));
        const epsilon = root.map((factor) => eps * factor);
        return (g: Tensor, slots: { readonly secondMoment: Tensor }) => {
          const secondMoment = movingAverage(slots.secondMoment, g.square(), beta2);
          return [g.mul(root).div(secondMoment.sqrt().add(epsilon)), { secondMoment }];
        };
      },
      hyper: { beta2, eps },
    },
  );
}
