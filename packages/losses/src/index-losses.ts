import { fail, type Tensor } from "@gradus/core";
import { checkClasses } from "./check-values.js";
import { weightOfClasses } from "./classes.js";
import type { LossOptions } from "./reduce.js";

export interface IndexLossOptions extends LossOptions {
  /** How much each class counts, `[C]`; 1 each by default. */
  readonly weight?: Tensor;
  /** Targets of this class index cost nothing and are not counted in the mean. Default -100. */
  readonly ignoreIndex?: number;
}

/** Minus the weighted log-probability of each target class; meaningless where `ignored`. */
export function indexLosses(
  loss: string,
  logProbabilities: Tensor,
  targets: Tensor,
  axis: number,
  classes: number,
  options: IndexLossOptions,
): { readonly losses: Tensor; readonly counts: Tensor; readonly ignored: Tensor } {
  const { weight, validate } = options;
  const ignoreIndex = checkIgnoreIndex(loss, options.ignoreIndex);
  checkClasses(loss, targets, classes, ignoreIndex, logProbabilities, validate);
  const ignored = targets.eq(ignoreIndex);
  // An ignored index need not be a class; any other one that is not makes `gather` report it.
  const index = ignored.where(0, targets);
  const losses = logProbabilities.gather(axis, index.unsqueeze(axis)).squeeze(axis).neg();
  const counts = ignored.logicalNot().cast(losses.dtype);
  if (weight === undefined) return { losses, counts, ignored };
  const weights = weightOfClasses(weight, index, losses);
  return { losses: losses.mul(weights), counts: counts.mul(weights), ignored };
}

/** The class index of ignored targets; throws unless it can be one. */
export function checkIgnoreIndex(loss: string, ignoreIndex = -100): number {
  if (Number.isInteger(ignoreIndex) && Math.abs(ignoreIndex) < 2 ** 31) return ignoreIndex;
  return fail("invalid-argument", `${loss}: ignoreIndex must be a whole number, got ${ignoreIndex}`);
}
