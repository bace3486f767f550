import type { Rule, Schedule } from "@gradus/core";
import { averaged } from "./averaged.js";
import { checkDecay } from "./check-options.js";
import { decayAt } from "./schedule-at.js";

export interface EmaOptions {
  /** How much of the last average is kept, in [0, 1), or a schedule of it. Default 0.999. */
  readonly decay?: Schedule;
}

/**
 * A rule with an exponential moving average of the parameters that it trains, which `evalParams` gives: it evaluates
 * better than the last parameters where steps are noisy. After update t = 0, 1, ...:
 *
 * ```text
 * a = decay(t) a + (1 - decay(t)) p       (a = p after the first)
 * ```
 *
 * With `decay: (t) => t / (t + 1)` all parameters count alike (stochastic weight averaging).
 *
 * @throws `invalid-argument` for a `decay` outside of [0, 1); `update` throws as the rule's own.
 *
 * Source: PyTorch's `optim.swa_utils.AveragedModel`; Polyak and Juditsky, "Acceleration of Stochastic Approximation by
 * Averaging", 1992; Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018.
 *
 * @example
 * ```ts
 * import { applyUpdates, ema, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = ema(sgd({ lr: 1 }), { decay: 0.5 });
 * let params = { w: tensor(8) };
 * let state = rule.init(params);
 * for (let step = 0; step < 2; step++) {
 *   const next = rule.update({ w: tensor(2) }, state, { params });
 *   params = applyUpdates(params, next.updates);
 *   state = next.state;
 * }
 * console.log(params.w, rule.evalParams?.(params, state).w); // → Tensor f32[] 4 Tensor f32[] 5
 * ```
 */
export function ema(rule: Rule, options: EmaOptions = {}): Rule {
  const { decay = 0.999 } = options;
  if (typeof decay !== "function") checkDecay("ema", { decay });
  return averaged("ema", rule, (t) => (t === 0 ? 0 : decayAt(decay, t)));
}
