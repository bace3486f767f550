import type { Rule, RuleState } from "@gradus/core";
import { innerState } from "./inner-state.js";

/** What a wrapper passes on to the rule that it wraps. */
export function wrapRule(wrapper: string, rule: Rule): Pick<Rule, "name" | "hyper" | "observe"> {
  return {
    name: `${wrapper}(${rule.name})`,
    hyper: (state) => rule.hyper?.(innerState(wrapper, state)) ?? {},
    ...(rule.observe !== undefined && {
      observe: <P>(state: RuleState<P>, metric: number): RuleState<P> => {
        const inner = innerState(wrapper, state);
        return { ...state, inner: { rule: rule.observe?.(inner, metric) ?? inner } };
      },
    }),
  };
}
