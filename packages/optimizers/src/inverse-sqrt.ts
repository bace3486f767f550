import { checkCount, checkNonNegative } from "./check-options.js";

export interface InverseSqrtOptions {
  /** The value at the top, after the warm-up. */
  readonly from: number;
  /** Updates before the top is reached, rising evenly from `from / (warmup + 1)`. Default 0. */
  readonly warmup?: number;
}

/**
 * A schedule that falls with the root of the time: `from sqrt((warmup + 1) / (t + 1))`, with a linear warm-up `from (t +
 * 1) / (warmup + 1)` in front.
 *
 * @throws `invalid-argument` for a negative `from`, and unless `warmup` is a whole number of at least 0.
 *
 * Source: Vaswani et al., "Attention Is All You Need", 2017, section 5.3.
 *
 * @example
 * ```ts
 * import { inverseSqrt } from "@gradus/optimizers";
 * const rate = inverseSqrt({ from: 0.1, warmup: 3 });
 * rate(0); // → 0.025
 * rate(3); // → 0.1
 * rate(15); // → 0.05
 * ```
 */
export function inverseSqrt({ from, warmup = 0 }: InverseSqrtOptions): (step: number) => number {
  checkNonNegative("inverseSqrt", { from });
  checkCount("inverseSqrt", "warmup", warmup, 0);
  const peak = warmup + 1;
  return (step) => from * (step < warmup ? (step + 1) / peak : Math.sqrt(peak / (step + 1)));
}
