import { fail } from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import type { Cycled } from "./cycled.js";

export interface OneCycleOptions {
  /** The greatest learning rate. */
  readonly maxLr: number;
  /** Updates of the whole run. */
  readonly steps: number;
  /** The share of the updates in which the learning rate rises, in [0, 1]. Default 0.3. */
  readonly rise?: number;
  /** How it moves from one value to the next. Default `cosine`. */
  readonly along?: "cosine" | "line";
  /** `maxLr` over the first learning rate. Default 25. */
  readonly divide?: number;
  /** The first learning rate over the last one. Default 1e4. */
  readonly finalDivide?: number;
  /** Fall back to the first learning rate as fast as it rose, and only then to the last. Default false. */
  readonly threePhase?: boolean;
  /** The momentum at the greatest learning rate. Default 0.85. */
  readonly baseMomentum?: number;
  /** The momentum at the first and last learning rates. Default 0.95. */
  readonly maxMomentum?: number;
}

/**
 * One cycle over a whole run: the learning rate rises from `maxLr / divide` to `maxLr` and falls to `maxLr / divide /
 * finalDivide`, while the momentum falls and rises.
 *
 * @throws `invalid-argument` for negative values, a `rise` outside of [0, 1], and unless `steps` is a whole number of at
 * least 2; the schedules, past `steps`.
 *
 * Source: PyTorch's `OneCycleLR` (`pct_start`, `div_factor`, `final_div_factor` and `anneal_strategy` are `rise`,
 * `divide`, `finalDivide` and `along` here); Smith and Topin, "Super-Convergence", 2017.
 *
 * @example
 * ```ts
 * import { oneCycle, sgd } from "@gradus/optimizers";
 * const { lr, momentum } = oneCycle({ maxLr: 0.5, steps: 100 });
 * const rule = sgd({ lr, momentum });
 * lr(0); // → 0.02
 * lr(29); // → 0.5
 * momentum(29); // → 0.85
 * ```
 */
export function oneCycle(options: OneCycleOptions): Cycled {
  const { maxLr, steps, rise = 0.3, along = "cosine", divide = 25, finalDivide = 1e4 } = options;
  const { threePhase = false, baseMomentum = 0.85, maxMomentum = 0.95 } = options;
  checkCount("oneCycle", "steps", steps, 2);
  checkNonNegative("oneCycle", { maxLr, divide, finalDivide, baseMomentum, maxMomentum });
  if (!(rise >= 0 && rise <= 1)) fail("invalid-argument", `oneCycle: rise must be in [0, 1], got ${rise}`);
  if (along !== "cosine" && along !== "line") {
    fail("invalid-argument", `oneCycle: along must be cosine or line, got ${along}`);
  }
  const first = maxLr / divide;
  const last = first / finalDivide;
  const top = rise * steps - 1;
  const fall: readonly Point[] = threePhase
    ? [
        [2 * top, first, maxMomentum],
        [steps - 1, last, maxMomentum],
      ]
    : [[steps - 1, last, maxMomentum]];
  const points: readonly Point[] = [[0, first, maxMomentum], [top, maxLr, baseMomentum], ...fall];
  const bend = along === "cosine" ? (x: number) => (1 - Math.cos(Math.PI * x)) / 2 : (x: number) => x;

  const at = (of: 1 | 2) => (step: number) => {
    if (step > steps) {
      fail("invalid-argument", `oneCycle: step ${step} is past the end: the cycle has ${steps} steps`);
    }
    const next = points.findIndex(([end], i) => i > 0 && (step <= end || i === points.length - 1));
    const [a, b] = [points[next - 1] as Point, points[next] as Point];
    const progress = b[0] > a[0] ? Math.min(1, (step - a[0]) / (b[0] - a[0])) : 1;
    return a[of] + (b[of] - a[of]) * bend(progress);
  };
  return { lr: at(1), momentum: at(2) };
}

type Point = readonly [step: number, lr: number, momentum: number];
