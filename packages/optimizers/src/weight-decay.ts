import { fail, formatPath, type Path, type Tensor } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";

/**
 * A weight decay: one for all parameters, or a function of each. With a function some can be left out, such as biases and
 * the scales of normalisations (a mask): `(path, param) => (param.ndim > 1 ? 0.01 : 0)`.
 */
export type WeightDecay = number | ((path: Path, param: Tensor) => number);

/** Throws unless `value` is a function or a number of at least 0. */
export function checkWeightDecay(rule: string, weightDecay: WeightDecay): void {
  if (typeof weightDecay !== "function") checkNonNegative(rule, { weightDecay });
}

/** The weight decay of one parameter. */
export function weightDecayAt(rule: string, weightDecay: WeightDecay, path: Path, param: Tensor): number {
  if (typeof weightDecay !== "function") return weightDecay;
  const value = weightDecay(path, param);
  if (typeof value === "number" && value >= 0 && value < Infinity) return value;
  return fail(
    "invalid-argument",
    `${rule}: weightDecay must give a number of at least 0, got ${String(value)} for parameter ${formatPath(path)}`,
  );
}

/** What reports say: nothing of a function. */
export function reportDecay(weightDecay: WeightDecay): { readonly weightDecay?: number } {
  return typeof weightDecay === "function" ? {} : { weightDecay };
}
