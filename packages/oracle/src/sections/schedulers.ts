import { zeros } from "@gradus/tensor";
import type { Check } from "../compare.js";
import type { Lab } from "../lab.js";
import { ruleOf } from "../optimizers.js";
import { scheduleOf } from "../schedulers.js";
import type { SchedulerCase } from "../schema/cases.js";
import type { GoldenNumber } from "../schema/values.js";
import { unsupported } from "../unsupported.js";

/** The learning rates of an optimizer's rule from step to step, with a parameter for each group. */
export function schedulerChecks(c: SchedulerCase, lab: Lab): Check[] {
  const { scheduler, base_lrs } = c;
  const schedules = base_lrs.map((base, group) =>
    scheduleOf(scheduler, c.options, lab, { base, group, steps: c.steps }),
  );
  const other = Object.keys(c.expected).find((what) => what !== "lr");
  if (other !== undefined) return unsupported(`${scheduler} of ${other}`);
  const groups = base_lrs.map((_, k) => ({ params: [k], options: {} }));
  const rule = ruleOf(c.optimizer, c.optimizer_options, lab, groups, schedules);

  const params = base_lrs.map(() => zeros([]));
  let state = rule.init(params);
  return (c.expected.lr ?? []).flatMap((wanted, step) => {
    const rates = rule.hyper?.(state) ?? {};
    state = rule.update(params, state, { params }).state;
    return wanted.map((value, k): Check => {
      const got = rates[`group${k}.lr`] ?? Number.NaN;
      return { what: `lr of group ${k} after ${step} steps`, got, want: scalarOf(value) };
    });
  });
}

function scalarOf(value: GoldenNumber): { dtype: "float64"; shape: number[]; data: GoldenNumber[] } {
  return { dtype: "float64", shape: [], data: [value] };
}
