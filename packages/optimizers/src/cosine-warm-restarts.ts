import { checkCount, checkNonNegative } from "./check-options.js";

export interface CosineWarmRestartsOptions {
  /** The value at the beginning of each period. */
  readonly from: number;
  /** What it falls to. Default 0. */
  readonly to?: number;
  /** Updates of the first period. */
  readonly steps: number;
  /** How many times longer each period is than the one before; a whole number. Default 1. */
  readonly growth?: number;
}

/**
 * A schedule that falls along half a cosine again and again: `to + (from - to) (1 + cos(pi t / T)) / 2`, t updates
 * after the beginning of a period of T.
 *
 * @throws `invalid-argument` for negative values, and unless `steps` and `growth` are whole numbers of at least 1.
 *
 * Source: PyTorch's `CosineAnnealingWarmRestarts` (`T_0` and `T_mult` are `steps` and `growth` here); Loshchilov and
 * Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
 *
 * @example
 * ```ts
 * import { cosineWarmRestarts } from "@gradus/optimizers";
 * const rate = cosineWarmRestarts({ from: 0.1, steps: 4, growth: 2 });
 * rate(2); // → 0.05
 * rate(4); // → 0.1
 * rate(8); // → 0.05
 * ```
 */
export function cosineWarmRestarts(options: CosineWarmRestartsOptions): (step: number) => number {
  const { from, to = 0, steps, growth = 1 } = options;
  checkNonNegative("cosineWarmRestarts", { from, to });
  checkCount("cosineWarmRestarts", "steps", steps);
  checkCount("cosineWarmRestarts", "growth", growth);
  return (step) => {
    let [at, period] = [growth === 1 ? step % steps : step, steps];
    while (at >= period) [at, period] = [at - period, period * growth];
    return to + ((from - to) * (1 + Math.cos((Math.PI * at) / period))) / 2;
  };
}
