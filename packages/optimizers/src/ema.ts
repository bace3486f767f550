import { mapTree, type Rule, type RuleContext, type RuleState, type Schedule } from "@gradus/core";
import { checkDecay } from "./check-options.js";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { movingAverage } from "./moving-average.js";
import { decayAt } from "./schedule-at.js";
import { wrapRule } from "./wrap-rule.js";

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
  const wrapped = wrapRule("ema", rule);
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
      const kept = state.step.map((t) => (t === 0 ? 0 : decayAt(decay, t)));
      const average = mapTree(
        context.params,
        (p, update, old) => movingAverage(old, p.add(update), kept),
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
