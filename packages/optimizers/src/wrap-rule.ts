import type { Rule, RuleState } from "@gradus/core";
import { innerState } from "./inner-state.js";

/** What a wrapper passes on to the rule that it wraps. */
export function wrapRule(
  wrapper: string,
  rule: Rule,
): Pick<Rule, "name" | "hyper" | "observe" | "variant" | "evalParams"> {
  const name = `${wrapper}(${rule.name})`;
  return {
    name,
    hyper: (state) => rule.hyper?.(innerState(name, state)) ?? {},
    ...(rule.observe !== undefined && {
      observe: <P>(state: RuleState<P>, metric: number): RuleState<P> => ({
        ...state,
        inner: { rule: rule.observe?.(innerState(name, state), metric) ?? innerState(name, state) },
      }),
    }),
    ...(rule.variant !== undefined && {
      variant: (state) => rule.variant?.(innerState(name, state)) ?? "",
    }),
    ...(rule.evalParams !== undefined && {
      evalParams: <P>(params: P, state: RuleState<P>): P =>
        rule.evalParams?.(params, innerState(name, state)) ?? params,
    }),
  };
}
