import { checkCount, checkNonNegative } from "./check-options.js";

export interface LinearDecayOptions {
  /** The value at step 0. */
  readonly from: number;
  /** The value at the end. Default 0. */
  readonly to?: number;
  /** Updates until `to` is reached; afterwards it stays. */
  readonly steps: number;
}

/**
 * A schedule along a line: `from + (to - from) t / steps`, then `to`. It may rise as well.
 *
 * @throws `invalid-argument` for negative values, and unless `steps` is a whole number of at least 1.
 *
 * Source: PyTorch's `LinearLR` (`from` and `to` are the learning rate times its `start_factor` and `end_factor`).
 *
 * @example
 * ```ts
 * import { linearDecay } from "@gradus/optimizers";
 * const rate = linearDecay({ from: 0.1, to: 0.02, steps: 4 });
 * rate(1); // → 0.08
 * rate(9); // → 0.02
 * ```
 */
export function linearDecay(options: LinearDecayOptions): (step: number) => number {
  const { from, to = 0, steps } = options;
  checkNonNegative("linearDecay", { from, to });
  checkCount("linearDecay", "steps", steps);
  return (step) => (step >= steps ? to : from + ((to - from) * step) / steps);
}
