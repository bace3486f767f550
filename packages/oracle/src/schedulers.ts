import type { Rule, Schedule } from "@gradus/core";
import {
  chained,
  constant,
  cosineAnnealing,
  cosineWarmRestarts,
  cyclic,
  exponential,
  linearDecay,
  multiplicative,
  multiStep,
  oneCycle,
  polynomial,
  reduceOnPlateau,
  sequence,
  stepDecay,
} from "@gradus/optimizers";
import { parseFormula } from "./formula.js";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { OptionValues } from "./schema/cases.js";
import { unsupported } from "./unsupported.js";

/** What drives one group: its learning rate, and its momentum (or beta1) if that is cycled. */
export interface Driven {
  readonly lr: Schedule;
  readonly momentum?: Schedule;
}

/** The group that a schedule is for. */
interface GroupInfo {
  readonly base: number;
  readonly group: number;
  readonly lab: Lab;
}

/** A scheduler of PyTorch's as this library's schedule of one group. */
type Translation = (options: Options, info: GroupInfo) => Schedule | Driven;

export const schedulers: Readonly<Record<string, Translation>> = {
  ConstantLR: (options, { base }) =>
    constant({
      from: base,
      factor: options.number("factor", 1 / 3),
      steps: options.number("total_iters", 5),
    }),
  StepLR: (options, { base }) =>
    stepDecay({ from: base, every: options.number("step_size"), gamma: options.number("gamma", 0.1) }),
  MultiStepLR: (options, { base }) =>
    multiStep({
      from: base,
      milestones: options.numbers("milestones"),
      gamma: options.number("gamma", 0.1),
    }),
  ExponentialLR: (options, { base }) => exponential({ from: base, gamma: options.number("gamma") }),
  PolynomialLR: (options, { base }) =>
    polynomial({
      from: base,
      steps: options.number("total_iters", 5),
      power: options.number("power", 1),
    }),
  LinearLR: (options, { base }) =>
    linearDecay({
      from: base * options.number("start_factor", 1 / 3),
      to: base * options.number("end_factor", 1),
      steps: options.number("total_iters", 5),
    }),
  CosineAnnealingLR: (options, { base }) =>
    cosineAnnealing({ from: base, to: options.number("eta_min", 0), steps: options.number("T_max") }),
  CosineAnnealingWarmRestarts: (options, { base }) =>
    cosineWarmRestarts({
      from: base,
      to: options.number("eta_min", 0),
      steps: options.number("T_0"),
      growth: options.number("T_mult", 1),
    }),
  // A schedule is a function of the step.
  LambdaLR: (options, info) => {
    const factor = formulaOf(options, info);
    return (step) => info.base * factor(step);
  },
  MultiplicativeLR: (options, info) => multiplicative({ from: info.base, factor: formulaOf(options, info) }),
  OneCycleLR: (options) => {
    const steps = options.has("total_steps")
      ? options.number("total_steps")
      : options.number("epochs") * options.number("steps_per_epoch");
    const cycled = oneCycle({
      maxLr: options.number("max_lr"),
      steps,
      rise: options.number("pct_start", 0.3),
      along: options.string("anneal_strategy", "cos") === "cos" ? "cosine" : "line",
      divide: options.number("div_factor", 25),
      finalDivide: options.number("final_div_factor", 1e4),
      threePhase: options.boolean("three_phase", false),
      baseMomentum: options.number("base_momentum", 0.85),
      maxMomentum: options.number("max_momentum", 0.95),
    });
    return options.boolean("cycle_momentum", true) ? cycled : cycled.lr;
  },
  CyclicLR: (options) => {
    const up = options.number("step_size_up", 2000);
    const mode = options.string("mode", "triangular");
    const cycled = cyclic({
      baseLr: options.number("base_lr"),
      maxLr: options.number("max_lr"),
      up,
      down: options.number("step_size_down", up),
      mode: mode === "exp_range" ? "exponential" : (mode as "triangular" | "triangular2"),
      gamma: options.number("gamma", 1),
      baseMomentum: options.number("base_momentum", 0.8),
      maxMomentum: options.number("max_momentum", 0.9),
    });
    return options.boolean("cycle_momentum", true) ? cycled : cycled.lr;
  },
  SequentialLR: (options, info) =>
    sequence(
      nested(options).map(([name, own]) => scheduleOf(name, own, info).lr),
      options.numbers("milestones"),
    ),
  // Each multiplies what the others give.
  ChainedScheduler: (options, info) =>
    chained(
      info.base,
      ...nested(options).map(([name, own]) =>
        ["ConstantLR", "StepLR", "MultiStepLR", "ExponentialLR", "LinearLR", "PolynomialLR"].includes(name)
          ? scheduleOf(name, own, { ...info, base: 1 }).lr
          : unsupported(`ChainedScheduler of ${name}`),
      ),
    ),
};

/** The factor of the group, as a function of the step. */
function formulaOf(options: Options, { group }: GroupInfo): (step: number) => number {
  const given = options.get("lr_lambda");
  const formula = Array.isArray(given) ? given[group] : given;
  if (typeof formula !== "string") return unsupported("a scheduler without a formula for each group");
  const factor = parseFormula(formula);
  return (step) => factor({ epoch: step });
}

function nested(options: Options): readonly (readonly [string, OptionValues])[] {
  return options.get("schedulers") as readonly (readonly [string, OptionValues])[];
}

/** What a scheduler makes of a group that starts with the learning rate `base`. */
export function scheduleOf(name: string, options: OptionValues, info: GroupInfo): Driven {
  const translation = Object.hasOwn(schedulers, name) ? schedulers[name] : undefined;
  if (translation === undefined) return unsupported(name);
  const read = new Options(options, name, info.lab);
  read.ignore("last_epoch", "verbose");
  const schedule = translation(read, info);
  read.finish();
  return typeof schedule === "object" ? schedule : { lr: schedule };
}

/** PyTorch's ReduceLROnPlateau around the rule of an optimizer that starts with the learning rate `base`. */
export function plateauOf(rule: Rule, given: OptionValues, lab: Lab, base: number): Rule {
  const options = new Options(given, "ReduceLROnPlateau", lab);
  options.ignore("verbose");
  const wrapped = reduceOnPlateau(rule, {
    mode: options.string("mode", "min") as "min" | "max",
    factor: options.number("factor", 0.1),
    patience: options.number("patience", 10),
    threshold: options.number("threshold", 1e-4),
    thresholdMode: options.string("threshold_mode", "rel") === "rel" ? "relative" : "absolute",
    cooldown: options.number("cooldown", 0),
    minScale: options.number("min_lr", 0) / base,
    eps: options.number("eps", 1e-8) / base,
  });
  options.finish();
  return wrapped;
}
