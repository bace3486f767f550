import { mapTree, type Rule, type RuleContext, type RuleState } from "@gradus/core";
import { checkCount } from "./check-options.js";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { wrapRule } from "./wrap-rule.js";

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
  const wrapped = wrapRule("swa", rule);
  const { name } = wrapped;

  /** The share of the parameters after update `t` in the average. */
  const shareAt = (t: number): number => {
    const done = t + 1;
    if (done <= from) return 1;
    return (done - from) % every === 0 ? 1 / ((done - from) / every + 1) : 0;
  };

  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      // A copy: parameters and state may be given away separately.
      return {
        rule: name,
        step: inner.step,
        slots: { average: mapTree(params, (p) => p.mul(1)) },
        inner: { rule: inner },
      };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      const slots = checkUpdate(name, grads, state, context, ["average"]);
      const { updates, state: inner } = rule.update(grads, before, context);
      const share = state.step.map(shareAt);
      const kept = share.map((s) => 1 - s);
      const average = mapTree(
        context.params,
        (p, update, old) => old.mul(kept).add(p.add(update).mul(share)),
        updates,
        slots.average,
      );
      return {
        updates,
        state: { ...state, step: state.step.map((t) => t + 1), slots: { average }, inner: { rule: inner } },
      };
    },

    evalParams<P>(_: P, state: RuleState<P>): P {
      innerState(name, state);
      return state.slots.average as P;
    },
  };
}
