import { mapTree, type Rule, type RuleContext, type RuleState, type Tensor, tensorsOf } from "@gradus/core";
import { checkCount } from "./check-options.js";
import { checkUpdate } from "./check-trees.js";
import { chooseTree, flagOf } from "./choose.js";
import { innerState } from "./inner-state.js";
import { joinVariants, phaseOf, variantOf } from "./variant.js";
import { wrapRule } from "./wrap-rule.js";

export interface AccumulateOptions {
  /** Gradients that make one update. */
  readonly every: number;
}

/**
 * Gradient accumulation: every `every`-th update is the rule's, of the mean of the gradients since its last one; the others
 * are zero. As if batches were so many times larger, at no more memory than one more tree.
 *
 * Steps are of two kinds: one that is compiled with `rule.variant(state)` as an argument, passed on as
 * `context.variant`, does not compute the rule where it only collects; without it, it does on each, and throws it away.
 *
 * @throws `invalid-argument` unless `every` is a whole number of at least 1; `update` throws as the rule's own.
 *
 * @example
 * ```ts
 * import { accumulate, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = accumulate(sgd({ lr: 1 }), { every: 2 });
 * const params = { w: tensor(0) };
 * const first = rule.update({ w: tensor(1) }, rule.init(params), { params });
 * const second = rule.update({ w: tensor(3) }, first.state, { params });
 * console.log(first.updates.w, second.updates.w); // → Tensor f32[] 0 Tensor f32[] -2
 * ```
 */
export function accumulate(rule: Rule, { every }: AccumulateOptions): Rule {
  checkCount("accumulate", "every", every);
  const wrapped = wrapRule("accumulate", rule);
  const { name } = wrapped;
  const applies = (t: number): boolean => (t + 1) % every === 0;

  const variantAt = <P>(state: RuleState<P>): string =>
    joinVariants({
      kind: applies(state.step.value) ? "update" : "collect",
      rule: applies(state.step.value) ? rule.variant?.(innerState(name, state)) : undefined,
    }) as string;

  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      return {
        rule: name,
        step: inner.step,
        slots: { sum: mapTree(params, (p) => p.zerosLike()) },
        inner: { rule: inner },
      };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      const { sum } = checkUpdate(name, grads, state, context, ["sum"]);
      const { variant: _, ...shared } = context;
      const joined = phaseOf(() => variantAt(state), state, context);
      const kind = variantOf(name, joined, "kind").variant;
      const total = mapTree(sum, (a, b) => a.add(b), grads);
      const step = state.step.map((t) => t + 1);
      const nothing = (): P => mapTree(context.params, (p) => p.zerosLike());
      if (kind === "collect") {
        return { updates: nothing(), state: { ...state, step, slots: { sum: total } } };
      }

      const mean = mapTree(total, (x) => x.div(every));
      const next = rule.update(mean, before, { ...shared, ...variantOf(name, joined, "rule") });
      if (kind === "update") {
        const slots = { sum: mapTree(total, (x) => x.zerosLike()) };
        return { updates: next.updates, state: { ...state, step, slots, inner: { rule: next.state } } };
      }
      const flag = state.step.map((t) => (applies(t) ? 1 : 0));
      const like = tensorsOf(grads)[0] as Tensor;
      const bit = flagOf(flag, like);
      return {
        updates: mapTree(next.updates, (update) => bit.where(update, update.zerosLike())),
        state: {
          ...state,
          step,
          slots: { sum: mapTree(total, (x) => bit.where(x.zerosLike(), x)) },
          inner: { rule: chooseTree(flag, like, next.state, before) },
        },
      };
    },

    variant: variantAt,
  };
}
