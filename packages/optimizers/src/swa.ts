import type { Rule } from "@gradus/core";
import { averaged } from "./averaged.js";
import { checkCount } from "./check-options.js";

export interface SwaOptions {
  /** Updates before the first parameters that are averaged. */
  readonly from: number;
  /** Updates from one that is averaged to the next: those of an epoch, or of a cycle of the learning rate. Default 1. */
  readonly every?: number;
}

/**
 * Stochastic weight averaging: a rule with the mean of the parameters after update `from`, `from + every`, ..., which
 * `evalParams` gives; before, the parameters themselves.
 *
 * Running statistics of normalisation layers belong to the parameters that were trained: estimate them again with the
 * average.
 *
 * @throws `invalid-argument` unless `from` and `every` are whole numbers, of at least 0 and 1; `update` throws as the rule's
 * own.
 *
 * Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018; PyTorch's
 * `optim.swa_utils`.
 *
 * @example
 * ```ts
 * import { applyUpdates, sgd, swa } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = swa(sgd({ lr: 1 }), { from: 1, every: 2 });
 * let params = { w: tensor(8) };
 * let state = rule.init(params);
 * for (let step = 0; step < 3; step++) {
 *   const next = rule.update({ w: tensor(2) }, state, { params });
 *   params = applyUpdates(params, next.updates);
 *   state = next.state;
 * }
 * console.log(params.w, rule.evalParams?.(params, state).w); // → Tensor f32[] 2 Tensor f32[] 4
 * ```
 */
export function swa(rule: Rule, { from, every = 1 }: SwaOptions): Rule {
  checkCount("swa", "from", from, 0);
  checkCount("swa", "every", every);
  return averaged("swa", rule, (t) => {
    const done = t + 1;
    // Before, the parameters themselves.
    if (done <= from) return 0;
    const count = (done - from) / every;
    return Number.isInteger(count) ? count / (count + 1) : 1;
  });
}
