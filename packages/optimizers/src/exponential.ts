import { checkNonNegative } from "./check-options.js";

export interface ExponentialOptions {
  /** The value at step 0. */
  readonly from: number;
  /** What the value is multiplied by at each step. */
  readonly gamma: number;
}

/**
 * A schedule that falls exponentially: `from gamma^t`.
 *
 * @throws `invalid-argument` for negative values.
 *
 * Source: PyTorch's `ExponentialLR`.
 *
 * @example
 * ```ts
 * import { exponential } from "@gradus/optimizers";
 * exponential({ from: 0.1, gamma: 0.9 })(2); // → 0.081
 * ```
 */
export function exponential({ from, gamma }: ExponentialOptions): (step: number) => number {
  checkNonNegative("exponential", { from, gamma });
  return (step) => from * gamma ** step;
}
