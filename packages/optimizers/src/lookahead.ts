import { mapTree, type Rule, type RuleContext, type RuleState } from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { wrapRule } from "./wrap-rule.js";

export interface LookaheadOptions {
  /** Updates of the rule from one step of the slow parameters to the next. Default 5. */
  readonly every?: number;
  /** How far the slow parameters go towards the fast ones. Default 0.5. */
  readonly alpha?: number;
}

/**
 * Lookahead: a rule runs ahead for some updates, then slow parameters follow part of the way, and it goes on from there.
 * At every `every`-th update:
 *
 * ```text
 * slow = slow + alpha (fast - slow)
 * fast = slow
 * ```
 *
 * `evalParams` gives the slow parameters.
 *
 * @throws `invalid-argument` for a negative `alpha`, and unless `every` is a whole number of at least 1; `update` throws
 * as the rule's own.
 *
 * Source: Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", 2019.
 *
 * @example
 * ```ts
 * import { applyUpdates, lookahead, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = lookahead(sgd({ lr: 1 }), { every: 2 });
 * let params = { w: tensor(8) };
 * let state = rule.init(params);
 * for (let step = 0; step < 2; step++) {
 *   const next = rule.update({ w: tensor(2) }, state, { params });
 *   params = applyUpdates(params, next.updates);
 *   state = next.state;
 * }
 * console.log(params.w); // → Tensor f32[] 6
 * ```
 */
export function lookahead(rule: Rule, options: LookaheadOptions = {}): Rule {
  const { every = 5, alpha = 0.5 } = options;
  checkCount("lookahead", "every", every);
  checkNonNegative("lookahead", { alpha });
  const wrapped = wrapRule("lookahead", rule);
  const { name } = wrapped;
  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      // A copy: parameters and state may be given away separately.
      return {
        rule: name,
        step: inner.step,
        slots: { slow: mapTree(params, (p) => p.mul(1)) },
        inner: { rule: inner },
      };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      const slots = checkUpdate(name, grads, state, context, ["slow"]);
      const ahead = rule.update(grads, before, context);
      // Factors of 0 or 1 and of 0 or alpha, so that all steps are one program.
      const meets = state.step.map((t) => ((t + 1) % every === 0 ? 1 : 0));
      const joining = meets.map((one) => one * alpha);
      const slow = mapTree(
        context.params,
        (p, update, old) => old.add(p.add(update).sub(old).mul(joining)),
        ahead.updates,
        slots.slow,
      );
      const updates = mapTree(
        context.params,
        (p, update, now) => update.add(now.sub(p.add(update)).mul(meets)),
        ahead.updates,
        slow,
      );
      return {
        updates,
        state: {
          ...state,
          step: state.step.map((t) => t + 1),
          slots: { slow },
          inner: { rule: ahead.state },
        },
      };
    },

    evalParams<P>(_: P, state: RuleState<P>): P {
      innerState(name, state);
      return state.slots.slow as P;
    },
  };
}
