import { valueAndGrad } from "@gradus/autograd";
import type { Rule, RuleState, Tensor } from "@gradus/core";
import { applyUpdates } from "@gradus/optimizers";
import type { Check } from "../compare.js";
import type { Lab } from "../lab.js";
import { lbfgsChecks } from "../lbfgs.js";
import { objectiveOf } from "../objectives.js";
import { type Group, ruleOf } from "../optimizers.js";
import type { OptimizerCase } from "../schema/cases.js";
import type { GoldenDType, GoldenTensor } from "../schema/values.js";
import { Untranslated } from "../unsupported.js";

/** The parameters after each step, and the objective's values. */
export function optimizerChecks(c: OptimizerCase, lab: Lab): Check[] | Promise<Check[]> {
  if (c.optimizer === "LBFGS") return lbfgsChecks(c, lab);
  const groups = c.param_groups?.map(({ params, ...options }): Group => ({ params, options })) ?? [];
  const rule = ruleOf(c.optimizer, c.options, lab, groups);
  const start = c.params.map((golden) => lab.tensor(golden));
  const checks: Check[] = [];
  const { gradients, expected } = c;
  const check = (params: readonly Tensor[], step: number): void => {
    for (const [i, want] of (expected.params[step] ?? []).entries()) {
      checks.push({ what: `parameter ${i} after step ${step}`, got: params[i] as Tensor, want });
    }
  };

  if (gradients.kind === "given") {
    descendGiven(rule, start, gradients.steps.slice(0, c.steps), lab, check);
    return checks;
  }
  if (gradients.kind !== "objective") throw new Untranslated(`gradients of kind ${String(gradients)}`);
  const f = objectiveOf(gradients.name, gradients.data, lab);
  let params: readonly Tensor[] = start;
  let state = rule.init(params);
  for (let step = 0; step < c.steps; step++) {
    const [loss, grads] = valueAndGrad(f)(params);
    const want = expected.losses?.[step];
    if (want !== undefined)
      checks.push({ what: `loss of step ${step}`, got: loss, want: scalarOf(want, c.dtype) });
    const next = rule.update(grads, state, { params });
    params = applyUpdates(params, next.updates);
    state = next.state;
    check(params, step);
  }
  return checks;
}

/**
 * Steps with given gradients. A parameter that has none at some step is neither moved nor does the step count for it:
 * then each parameter is a tree with a state of its own.
 */
function descendGiven(
  rule: Rule,
  start: readonly Tensor[],
  steps: readonly (readonly (GoldenTensor | null)[])[],
  lab: Lab,
  check: (params: readonly Tensor[], step: number) => void,
): void {
  const complete = steps.every((grads) => grads.every((golden) => golden !== null));
  const trees: readonly (readonly number[])[] = complete
    ? [start.map((_, i) => i)]
    : start.map((_, i) => [i]);
  const params = [...start];
  const states = trees.map(
    (indices) => rule.init(indices.map((i) => params[i] as Tensor)) as RuleState<Tensor[]>,
  );
  steps.forEach((golden, step) => {
    trees.forEach((indices, k) => {
      const given = indices.flatMap((i) => golden[i] ?? []);
      if (given.length < indices.length) return;
      const own = indices.map((i) => params[i] as Tensor);
      const next = rule.update(
        given.map((g) => lab.tensor(g)),
        states[k] as RuleState<Tensor[]>,
        { params: own },
      );
      states[k] = next.state;
      applyUpdates(own, next.updates).forEach((p, at) => {
        params[indices[at] as number] = p;
      });
    });
    check(params, step);
  });
}

function scalarOf(value: GoldenTensor["data"][number], dtype: string | undefined): GoldenTensor {
  return { dtype: (dtype ?? "float64") as GoldenDType, shape: [], data: [value] };
}
