import { checkMilestones, checkNonNegative } from "./check-options.js";

export interface MultiStepOptions {
  /** The value at step 0. */
  readonly from: number;
  /** The steps at which it falls, in rising order. */
  readonly milestones: readonly number[];
  /** What the value is multiplied by at each. Default 0.1. */
  readonly gamma?: number;
}

/**
 * A schedule that falls at given steps: `from gamma^n` after n milestones.
 *
 * @throws `invalid-argument` for negative values, and for milestones that are no whole numbers above 0 or do not rise.
 *
 * Source: PyTorch's `MultiStepLR`.
 *
 * @example
 * ```ts
 * import { multiStep } from "@gradus/optimizers";
 * const rate = multiStep({ from: 1, milestones: [30, 80] });
 * rate(29); // → 1
 * rate(30); // → 0.1
 * rate(80); // → 0.01
 * ```
 */
export function multiStep(options: MultiStepOptions): (step: number) => number {
  const { from, milestones, gamma = 0.1 } = options;
  checkNonNegative("multiStep", { from, gamma });
  checkMilestones("multiStep", milestones);
  return (step) => from * gamma ** milestones.filter((milestone) => step >= milestone).length;
}
