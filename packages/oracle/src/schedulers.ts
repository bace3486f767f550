import { cosine } from "@gradus/optimizers";
import { parseFormula } from "./formula.js";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { OptionValues } from "./schema/cases.js";
import { unsupported } from "./unsupported.js";

/** A scheduler of PyTorch's as this library's schedule of one group's learning rate. */
type Translation = (options: Options, base: number, group: number, steps: number) => (step: number) => number;

export const schedulers: Readonly<Record<string, Translation>> = {
  CosineAnnealingLR: (options, base, _, steps) => {
    const period = options.number("T_max");
    // PyTorch's rises again after its end, where this library's stays.
    if (steps > period) return unsupported("CosineAnnealingLR beyond T_max");
    return cosine({ from: base, to: options.number("eta_min", 0), steps: period });
  },
  // A schedule is a function of the step.
  LambdaLR: (options, base, group) => {
    const given = options.get("lr_lambda");
    const formula = Array.isArray(given) ? given[group] : given;
    if (typeof formula !== "string") return unsupported("LambdaLR without a formula for each group");
    const factor = parseFormula(formula);
    return (step) => base * factor({ epoch: step });
  },
};

/** The schedule of a group that starts with the learning rate `base`, good for `steps` steps. */
export function scheduleOf(
  name: string,
  options: OptionValues,
  lab: Lab,
  { base, group, steps }: { readonly base: number; readonly group: number; readonly steps: number },
): (step: number) => number {
  const translation = Object.hasOwn(schedulers, name) ? schedulers[name] : undefined;
  if (translation === undefined) return unsupported(name);
  const read = new Options(options, name, lab);
  read.ignore("last_epoch", "verbose");
  const schedule = translation(read, base, group, steps);
  read.finish();
  return schedule;
}
