import { fail } from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import type { Cycled } from "./cycled.js";

export interface CyclicOptions {
  /** The learning rate between cycles. */
  readonly baseLr: number;
  /** The learning rate at the top of the first cycle. */
  readonly maxLr: number;
  /** Updates from the base to the top. Default 2000. */
  readonly up?: number;
  /** Updates from the top to the base. Default: as many as up. */
  readonly down?: number;
  /**
   * How high later cycles are: `triangular`: as the first; `triangular2`: half of the last; `exponential`: `gamma^t` of
   * the first. Default `triangular`.
   */
  readonly mode?: "triangular" | "triangular2" | "exponential";
  /** For `exponential`. Default 1. */
  readonly gamma?: number;
  /** The momentum at the top of the first cycle. Default 0.8. */
  readonly baseMomentum?: number;
  /** The momentum between cycles. Default 0.9. */
  readonly maxMomentum?: number;
}

/**
 * Cycles without end: the learning rate rises from `baseLr` to `maxLr` along a line and falls back, while the momentum
 * falls and rises.
 *
 * @throws `invalid-argument` for negative values, an unknown mode, and unless `up` and `down` are whole numbers of at
 * least 1.
 *
 * Source: PyTorch's `CyclicLR`; Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.
 *
 * @example
 * ```ts
 * import { cyclic, sgd } from "@gradus/optimizers";
 * const { lr, momentum } = cyclic({ baseLr: 0.01, maxLr: 0.1, up: 4 });
 * const rule = sgd({ lr, momentum });
 * lr(4); // → 0.1
 * momentum(4); // → 0.8
 * lr(8); // → 0.01
 * ```
 */
export function cyclic(options: CyclicOptions): Cycled {
  const { baseLr, maxLr, up = 2000, down = up, mode = "triangular", gamma = 1 } = options;
  const { baseMomentum = 0.8, maxMomentum = 0.9 } = options;
  checkCount("cyclic", "up", up);
  checkCount("cyclic", "down", down);
  checkNonNegative("cyclic", { baseLr, maxLr, gamma, baseMomentum, maxMomentum });
  if (!["triangular", "triangular2", "exponential"].includes(mode)) {
    fail("invalid-argument", `cyclic: mode must be triangular, triangular2 or exponential, got ${mode}`);
  }

  /** How far the values are from their ends. */
  const height = (step: number): number => {
    const at = step % (up + down);
    const slope = at <= up ? at / up : (up + down - at) / down;
    if (mode === "triangular2") return slope * 0.5 ** Math.floor(step / (up + down));
    return mode === "exponential" ? slope * gamma ** step : slope;
  };
  return {
    lr: (step) => baseLr + (maxLr - baseLr) * height(step),
    momentum: (step) => maxMomentum - (maxMomentum - baseMomentum) * height(step),
  };
}
