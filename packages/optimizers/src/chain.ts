import { fail, type Rule, type RuleContext, type RuleState, scalar } from "@gradus/core";
import { checkOwner, checkParams } from "./check-trees.js";
import { joinVariants, variantOf } from "./variant.js";

/**
 * Rules one after the other: each takes the updates of the one before as its gradients. What changes gradients comes first
 * ({@link transform}, {@link gradientNoise}), what makes them steps comes last.
 *
 * @throws `invalid-argument` without rules, and for an empty parameter tree; `update` throws as the rules do, and
 * `tree-mismatch` for the state of another chain.
 *
 * @example
 * ```ts
 * import { chain, clipByValue, sgd, transform } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = chain(
 *   transform("clip", (grads) => clipByValue(grads, 1)),
 *   sgd({ lr: 0.5 }),
 * );
 * const params = { w: tensor([1, 2]) };
 * const { updates } = rule.update({ w: tensor([0.5, -8]) }, rule.init(params), { params });
 * console.log(rule.name, updates.w); // → chain(clip, sgd) Tensor f32[2] [-0.25, 0.5]
 * ```
 */
export function chain(...rules: readonly Rule[]): Rule {
  if (rules.length === 0) fail("invalid-argument", "chain: there is no rule in it");
  const name = `chain(${rules.map((rule) => rule.name).join(", ")})`;
  const innerOf = <P>(state: RuleState<P>, i: number): RuleState<P> => {
    checkOwner(name, state);
    const inner = state.inner?.[i];
    if (inner !== undefined) return inner as RuleState<P>;
    return fail(
      "tree-mismatch",
      `${name}: the state has no part ${i}. It belongs to another rule: call init()`,
    );
  };
  const inTurn = <T>(f: (rule: Rule, i: number) => T): Record<string, T> =>
    Object.fromEntries(rules.map((rule, i) => [String(i), f(rule, i)]));
  const some = (what: keyof Rule): boolean => rules.some((rule) => rule[what] !== undefined);

  return {
    name,

    init(params) {
      checkParams(name, params);
      return { rule: name, step: scalar(0), slots: {}, inner: inTurn((rule) => rule.init(params)) };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const { variant, key, ...shared } = context;
      let updates = grads;
      const inner = inTurn((rule, i) => {
        const next = rule.update(updates, innerOf(state, i), {
          ...shared,
          ...(key !== undefined && { key: key.foldIn(i) }),
          ...variantOf(name, variant, String(i)),
        });
        updates = next.updates;
        return next.state;
      });
      return { updates, state: { rule: name, step: state.step.map((t) => t + 1), slots: {}, inner } };
    },

    hyper: (state) =>
      Object.assign({}, ...rules.map((rule, i) => rule.hyper?.(innerOf(state, i)) ?? {})) as Record<
        string,
        number
      >,

    ...(some("evalParams") && {
      evalParams: <P>(params: P, state: RuleState<P>): P =>
        rules.reduce((p, rule, i) => rule.evalParams?.(p, innerOf(state, i)) ?? p, params),
    }),
    ...(some("observe") && {
      observe: <P>(state: RuleState<P>, metric: number): RuleState<P> => ({
        ...state,
        inner: inTurn((rule, i) => rule.observe?.(innerOf(state, i), metric) ?? innerOf(state, i)),
      }),
    }),
    ...(some("variant") && {
      variant: (state) => joinVariants(inTurn((rule, i) => rule.variant?.(innerOf(state, i)))) ?? "{}",
    }),
  };
}
