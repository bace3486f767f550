import { checkCount, checkNonNegative } from "./check-options.js";

export interface CosineAnnealingOptions {
  /** The value at the top: at step 0. */
  readonly from: number;
  /** The value at the bottom. Default 0. */
  readonly to?: number;
  /** Updates from the top to the bottom. */
  readonly steps: number;
}

/**
 * A schedule that swings along a cosine: down to `to` in `steps` updates, up again in as many, and so on: `to + (from -
 * to) (1 + cos(pi t / steps)) / 2`. See `cosine` for one that stays below.
 *
 * @throws `invalid-argument` for negative values, and unless `steps` is a whole number of at least 1.
 *
 * Source: PyTorch's `CosineAnnealingLR` (`eta_min` and `T_max` are `to` and `steps` here).
 *
 * @example
 * ```ts
 * import { cosineAnnealing } from "@gradus/optimizers";
 * const rate = cosineAnnealing({ from: 0.1, to: 0.02, steps: 10 });
 * rate(10); // → 0.02
 * rate(20); // → 0.1
 * ```
 */
export function cosineAnnealing(options: CosineAnnealingOptions): (step: number) => number {
  const { from, to = 0, steps } = options;
  checkNonNegative("cosineAnnealing", { from, to });
  checkCount("cosineAnnealing", "steps", steps);
  return (step) => to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}
