import { mapTree, type Rule, type RuleContext, type RuleState } from "@gradus/core";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { movingAverage } from "./moving-average.js";
import { wrapRule } from "./wrap-rule.js";

/**
 * A rule with an average of the parameters that it trains, which `evalParams` gives. After update t = 0, 1, ... it is
 * `kept(t) average + (1 - kept(t)) parameters`.
 */
export function averaged(wrapper: string, rule: Rule, kept: (t: number) => number): Rule {
  const wrapped = wrapRule(wrapper, rule);
  const { name } = wrapped;
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
      const beta = state.step.map(kept);
      const average = mapTree(
        context.params,
        (p, update, old) => movingAverage(old, p.add(update), beta),
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
