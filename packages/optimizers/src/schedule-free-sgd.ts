import type { Rule } from "@gradus/core";
import { type ScheduleFreeOptions, scheduleFreeRule } from "./schedule-free.js";

/**
 * SGD without a schedule: instead of a learning rate that falls, an average of all steps, and gradients between the two. At
 * step t = 1, 2, ..., where y are the parameters that are trained, and z = x = y before the first step:
 *
 * ```text
 * g = g + weightDecay y                                (g is the gradient at y)
 * z = z - lr(t) g
 * c = w(t) / (w(1) + ... + w(t)),  w(t) = t^r max(lr(1), ..., lr(t))^weightPower
 * x = (1 - c) x + c z
 * y = (1 - beta) z + beta x
 * ```
 *
 * `evalParams` gives x: evaluate with it, and save it for inference. The default `lr` is 1; at `beta` 1 gradients are taken at
 * the average itself.
 *
 * @throws `invalid-argument` for a negative `lr`, `weightDecay`, `r` or `weightPower`, a `beta` outside of (0, 1], a `warmup`
 * that is no whole number, and an empty parameter tree; `update` throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Defazio et al., "The Road Less Scheduled", 2024, and its authors' `SGDScheduleFree`, whose `momentum` is `beta`.
 *
 * @example
 * ```ts
 * import { applyUpdates, scheduleFreeSgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = scheduleFreeSgd({ lr: 0.5 });
 * let params = { w: tensor([1, -1]) };
 * let state = rule.init(params);
 * for (let step = 0; step < 2; step++) {
 *   const next = rule.update({ w: params.w }, state, { params }); // of half the sum of squares
 *   params = applyUpdates(params, next.updates);
 *   state = next.state;
 * }
 * console.log(rule.evalParams?.(params, state).w); // → Tensor f32[2] [0.375, -0.375]
 * ```
 */
export function scheduleFreeSgd(options: ScheduleFreeOptions = {}): Rule {
  return scheduleFreeRule(
    "scheduleFreeSgd",
    { lr: 1, ...options },
    {
      slots: {},
      at: () => (g) => [g, {}],
      hyper: {},
    },
  );
}
