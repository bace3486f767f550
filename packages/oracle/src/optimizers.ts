import type { Rule, Schedule } from "@gradus/core";
import { type AdamOptions, adam, adamw, partition, sgd } from "@gradus/optimizers";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { OptionValues } from "./schema/cases.js";
import { unsupported } from "./unsupported.js";

/** An optimizer of PyTorch's in terms of this library. `lr` stands in for the option where a schedule drives it. */
type Translation = (options: Options, lr: Schedule | undefined) => Rule;

export const optimizers: Readonly<Record<string, Translation>> = {
  SGD: (options, lr) =>
    sgd({
      ...numbers(options, { momentum: "momentum", dampening: "dampening", weightDecay: "weight_decay" }),
      ...flags(options, ["nesterov", "maximize"]),
      lr: lr ?? options.number("lr"),
    }),
  Adam: (options, lr) => adam(adamOptions(options, lr)),
  AdamW: (options, lr) => adamw(adamOptions(options, lr)),
};

function adamOptions(options: Options, lr: Schedule | undefined): AdamOptions {
  const betas = options.has("betas") ? options.numbers("betas") : undefined;
  return {
    ...numbers(options, { lr: "lr", eps: "eps", weightDecay: "weight_decay" }),
    ...(betas !== undefined && { beta1: betas[0] as number, beta2: betas[1] as number }),
    ...flags(options, ["amsgrad", "maximize"]),
    ...(lr !== undefined && { lr }),
  };
}

/** Those of the numbers that are given, under their names here; the others are the library's own defaults. */
function numbers<Name extends string>(
  options: Options,
  names: Readonly<Record<Name, string>>,
): { readonly [K in Name]?: number } {
  const given = Object.entries<string>(names).filter(([, theirs]) => options.has(theirs));
  return Object.fromEntries(given.map(([ours, theirs]) => [ours, options.number(theirs)])) as {
    readonly [K in Name]?: number;
  };
}

function flags<Name extends string>(
  options: Options,
  names: readonly Name[],
): { readonly [K in Name]?: boolean } {
  const given = names.filter((name) => options.has(name));
  return Object.fromEntries(given.map((name) => [name, options.boolean(name, false)])) as {
    readonly [K in Name]?: boolean;
  };
}

/** Which parameters a group holds, and what it sets otherwise. */
export interface Group {
  readonly params: readonly number[];
  readonly options: OptionValues;
}

/**
 * The rule of an optimizer; parameters are a list, and each of several groups is a partition of its own.
 *
 * @param schedules of each group's learning rate, where they are driven
 */
export function ruleOf(
  name: string,
  options: OptionValues,
  lab: Lab,
  groups: readonly Group[] = [],
  schedules: readonly Schedule[] = [],
): Rule {
  const translation = Object.hasOwn(optimizers, name) ? optimizers[name] : undefined;
  if (translation === undefined) return unsupported(name);
  const make = (own: OptionValues, lr: Schedule | undefined): Rule => {
    const read = new Options(own, name, lab);
    // How PyTorch computes it, not what.
    for (const how of ["foreach", "capturable", "fused", "differentiable"]) read.ignore(how);
    if (lr !== undefined) read.ignore("lr");
    const rule = translation(read, lr);
    read.finish();
    return rule;
  };
  if (groups.length === 0) return make(options, schedules[0]);
  const rules = groups.map((group, k) => make({ ...options, ...group.options }, schedules[k]));
  return partition(Object.fromEntries(rules.map((rule, k) => [`group${k}`, rule])), ([index]) => {
    const k = groups.findIndex((group) => group.params.includes(Number(index)));
    return k < 0 ? "frozen" : `group${k}`;
  });
}
