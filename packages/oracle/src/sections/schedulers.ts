import type { Rule, RuleState } from "@gradus/core";
import { type Tensor, zeros } from "@gradus/tensor";
import type { Check } from "../compare.js";
import type { Lab } from "../lab.js";
import { ruleOf } from "../optimizers.js";
import { plateauOf, scheduleOf } from "../schedulers.js";
import type { SchedulerCase } from "../schema/cases.js";
import { type GoldenNumber, numberOf } from "../schema/values.js";
import { unsupported } from "../unsupported.js";

/** What PyTorch cycles, and where this library's rules report it. */
const reported: Readonly<Record<string, string>> = { lr: "lr", momentum: "momentum", betas: "beta1" };

/** The learning rates (momenta, beta1) of an optimizer's rule from step to step, with a parameter for each group. */
export function schedulerChecks(c: SchedulerCase, lab: Lab): Check[] {
  const rule = drivenRule(c, lab);
  const params = c.base_lrs.map(() => zeros([]));
  const states = [rule.init(params)];
  for (let step = 0; step < c.steps; step++) {
    const last = states.at(-1) as RuleState<Tensor[]>;
    const next = rule.update(params, last, { params }).state;
    const metric = c.metrics?.[step];
    states.push(metric === undefined ? next : (rule.observe?.(next, numberOf(metric)) ?? next));
  }
  const seen = states.map((state) => rule.hyper?.(state) ?? {});
  return Object.entries(c.expected).flatMap(([what, wanted]) => {
    const name = reported[what] ?? unsupported(`${c.scheduler} of ${what}`);
    return (wanted ?? []).flatMap((values, step) =>
      values.map((value, k): Check => {
        const got = seen[step]?.[`group${k}.${name}`] ?? Number.NaN;
        // Betas come in pairs.
        const want = scalarOf(Array.isArray(value) ? ((value as GoldenNumber[])[0] as GoldenNumber) : value);
        return { what: `${what} of group ${k} after ${step} steps`, got, want };
      }),
    );
  });
}

function drivenRule({ scheduler, options, base_lrs, ...c }: SchedulerCase, lab: Lab): Rule {
  const groups = base_lrs.map((_, k) => ({ params: [k], options: {} }));
  const plateau = scheduler === "ReduceLROnPlateau";
  const schedules = base_lrs.map((base, group) =>
    plateau ? { lr: base } : scheduleOf(scheduler, options, { base, group, lab }),
  );
  const rule = ruleOf(c.optimizer, c.optimizer_options, lab, groups, schedules);
  return plateau ? plateauOf(rule, options, lab, base_lrs[0] as number) : rule;
}

function scalarOf(value: GoldenNumber): { dtype: "float64"; shape: number[]; data: GoldenNumber[] } {
  return { dtype: "float64", shape: [], data: [value] };
}
