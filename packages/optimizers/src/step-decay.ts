import { checkCount, checkNonNegative } from "./check-options.js";

export interface StepDecayOptions {
  /** The value at step 0. */
  readonly from: number;
  /** Updates from one decay to the next. */
  readonly every: number;
  /** What the value is multiplied by each time. Default 0.1. */
  readonly gamma?: number;
}

/**
 * A schedule that falls by steps: `from gamma^floor(t / every)`.
 *
 * @throws `invalid-argument` for negative values, and unless `every` is a whole number of at least 1.
 *
 * Source: PyTorch's `StepLR` (its `step_size` is `every` here).
 *
 * @example
 * ```ts
 * import { stepDecay } from "@gradus/optimizers";
 * const rate = stepDecay({ from: 0.1, every: 30 });
 * rate(29); // → 0.1
 * rate(30); // → 0.01
 * ```
 */
export function stepDecay(options: StepDecayOptions): (step: number) => number {
  const { from, every, gamma = 0.1 } = options;
  checkNonNegative("stepDecay", { from, gamma });
  checkCount("stepDecay", "every", every);
  return (step) => from * gamma ** Math.floor(step / every);
}
