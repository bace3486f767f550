import { fail } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";

export interface CosineOptions {
  /** The value at the top, after the warm-up. */
  readonly from: number;
  /** The value at the end. Default 0. */
  readonly to?: number;
  /** Updates until `to` is reached, warm-up included; afterwards it stays. */
  readonly steps: number;
  /** Updates before the top is reached, rising evenly from `from / (warmup + 1)`. Default 0. */
  readonly warmup?: number;
}

/**
 * A schedule that falls along half a cosine, `to + (from - to) (1 + cos(pi (t - warmup) / (steps - warmup)))
 * / 2`, with an optional linear warm-up `from (t + 1) / (warmup + 1)` in front.
 *
 * @throws `invalid-argument` for negative values, or unless `warmup < steps` are whole numbers.
 *
 * Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without the
 * restarts; PyTorch's `CosineAnnealingLR`, which rises again after its end where this stays at `to`.
 *
 * @example
 * ```ts
 * import { cosine } from "@gradus/optimizers";
 * const rate = cosine({ from: 0.1, to: 0.01, steps: 100, warmup: 3 });
 * rate(0); // → 0.025
 * rate(3); // → 0.1
 * rate(100); // → 0.01
 * ```
 */
export function cosine(options: CosineOptions): (step: number) => number {
  const { from, to = 0, steps, warmup = 0 } = options;
  checkNonNegative("cosine", { from, to });
  if (!Number.isInteger(steps) || steps < 1) {
    fail("invalid-argument", `cosine: steps must be a whole number of at least 1, got ${steps}`);
  }
  if (!Number.isInteger(warmup) || warmup < 0 || warmup >= steps) {
    fail(
      "invalid-argument",
      `cosine: warmup must be a whole number from 0 to steps - 1 = ${steps - 1}, got ${warmup}`,
    );
  }
  return (step) => {
    if (step < warmup) return (from * (step + 1)) / (warmup + 1);
    if (step >= steps) return to;
    const progress = (step - warmup) / (steps - warmup);
    return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}
