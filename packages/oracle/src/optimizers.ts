import type { Rule, Schedule } from "@gradus/core";
import {
  type AdamOptions,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  asgd,
  nadam,
  partition,
  radam,
  rmsprop,
  rprop,
  sgd,
} from "@gradus/optimizers";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { Driven } from "./schedulers.js";
import type { OptionValues } from "./schema/cases.js";
import { unsupported } from "./unsupported.js";

/**
 * An optimizer of PyTorch's in terms of this library. `lr`, and `momentum` for one that has it (or beta1), stand in for
 * the options where a schedule drives them.
 */
type Translation = (options: Options, lr: Schedule | undefined, momentum: Schedule | undefined) => Rule;

export const optimizers: Readonly<Record<string, Translation>> = {
  SGD: (options, lr, momentum) =>
    sgd({
      ...numbers(options, { momentum: "momentum", dampening: "dampening", weightDecay: "weight_decay" }),
      ...flags(options, ["nesterov", "maximize"]),
      lr: lr ?? options.number("lr"),
      ...(momentum !== undefined && { momentum }),
    }),
  Adam: (options, lr, beta1) => adam(adamOptions(options, lr, beta1)),
  AdamW: (options, lr, beta1) => adamw(adamOptions(options, lr, beta1)),
  NAdam: (options, lr) =>
    nadam({ ...moments(options, lr), ...numbers(options, { momentumDecay: "momentum_decay" }) }),
  RAdam: (options, lr) => radam(moments(options, lr)),
  Adamax: (options, lr) => adamax(moments(options, lr)),
  Adagrad: (options, lr) =>
    adagrad({
      ...common(options, lr),
      ...numbers(options, {
        lrDecay: "lr_decay",
        initialAccumulator: "initial_accumulator_value",
        eps: "eps",
      }),
    }),
  Adadelta: (options, lr) =>
    adadelta({ ...common(options, lr), ...numbers(options, { rho: "rho", eps: "eps" }) }),
  RMSprop: (options, lr) =>
    rmsprop({
      ...common(options, lr),
      ...numbers(options, { alpha: "alpha", eps: "eps", momentum: "momentum" }),
      ...flags(options, ["centered"]),
    }),
  Rprop: (options) => {
    const [shrink, grow] = options.has("etas") ? options.numbers("etas") : [];
    const [minStep, maxStep] = options.has("step_sizes") ? options.numbers("step_sizes") : [];
    return rprop({
      ...numbers(options, { lr: "lr" }),
      ...flags(options, ["maximize"]),
      ...(shrink !== undefined && grow !== undefined && { shrink, grow }),
      ...(minStep !== undefined && maxStep !== undefined && { minStep, maxStep }),
    });
  },
  ASGD: (options, lr) =>
    asgd({
      ...common(options, lr),
      ...numbers(options, { lambda: "lambd", alpha: "alpha", averageFrom: "t0" }),
    }),
};

/** What most optimizers take. */
function common(options: Options, lr: Schedule | undefined): Common {
  return {
    ...numbers(options, { lr: "lr", weightDecay: "weight_decay" }),
    ...flags(options, ["maximize"]),
    ...(lr !== undefined && { lr }),
  };
}

interface Common {
  readonly lr?: Schedule;
  readonly weightDecay?: number;
  readonly maximize?: boolean;
}

function moments(
  options: Options,
  lr: Schedule | undefined,
): Common & { readonly beta1?: number; readonly beta2?: number; readonly eps?: number } {
  const betas = options.has("betas") ? options.numbers("betas") : undefined;
  return {
    ...common(options, lr),
    ...numbers(options, { eps: "eps" }),
    ...(betas !== undefined && { beta1: betas[0] as number, beta2: betas[1] as number }),
  };
}

function adamOptions(
  options: Options,
  lr: Schedule | undefined,
  beta1: Schedule | undefined,
): AdamOptions & { readonly weightDecay?: number } {
  return {
    ...moments(options, lr),
    ...flags(options, ["amsgrad"]),
    ...(beta1 !== undefined && { beta1 }),
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
 * @param schedules of each group, where they are driven
 */
export function ruleOf(
  name: string,
  options: OptionValues,
  lab: Lab,
  groups: readonly Group[] = [],
  schedules: readonly Driven[] = [],
): Rule {
  const translation = Object.hasOwn(optimizers, name) ? optimizers[name] : undefined;
  if (translation === undefined) return unsupported(name);
  const make = (own: OptionValues, { lr, momentum }: Partial<Driven> = {}): Rule => {
    const read = new Options(own, name, lab);
    // How PyTorch computes it, not what.
    for (const how of ["foreach", "capturable", "fused", "differentiable"]) read.ignore(how);
    if (lr !== undefined) read.ignore("lr");
    const rule = translation(read, lr, momentum);
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
