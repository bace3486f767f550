import { fail, type RuleState } from "@gradus/core";
import { checkOwner } from "./check-trees.js";

/** The state of the one rule that a wrapper wraps, after checking that it is the wrapper's. */
export function innerState<P>(wrapper: string, state: RuleState<P>): RuleState<P> {
  checkOwner(wrapper, state);
  const inner = state.inner?.rule;
  if (inner !== undefined) return inner as RuleState<P>;
  return fail(
    "tree-mismatch",
    `${wrapper}: the state has no part "rule". It belongs to another rule: call init()`,
  );
}
