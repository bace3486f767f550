import { checkCount, checkNonNegative } from "./check-options.js";

export interface PolynomialOptions {
  /** The value at step 0. */
  readonly from: number;
  /** The value at the end. Default 0. */
  readonly to?: number;
  /** Updates until `to` is reached; afterwards it stays. */
  readonly steps: number;
  /** Default 1: a line. */
  readonly power?: number;
}

/**
 * A schedule that falls along a power of the time that is left: `to + (from - to) (1 - t / steps)^power`.
 *
 * @throws `invalid-argument` for negative values, and unless `steps` is a whole number of at least 1.
 *
 * Source: PyTorch's `PolynomialLR`, where `to` is 0.
 *
 * @example
 * ```ts
 * import { polynomial } from "@gradus/optimizers";
 * const rate = polynomial({ from: 1, steps: 10, power: 2 });
 * rate(5); // → 0.25
 * rate(10); // → 0
 * ```
 */
export function polynomial(options: PolynomialOptions): (step: number) => number {
  const { from, to = 0, steps, power = 1 } = options;
  checkNonNegative("polynomial", { from, to, power });
  checkCount("polynomial", "steps", steps);
  return (step) => to + (from - to) * Math.max(0, 1 - step / steps) ** power;
}
