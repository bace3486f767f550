import type { Rule, Schedule } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import { settled } from "./settled.js";
import { trustRatio } from "./trust-ratio.js";
import type { WeightDecay } from "./weight-decay.js";

export interface LarsOptions {
  /** The learning rate, or a schedule of it. There is no default. */
  readonly lr: Schedule;
  /** How much of the last velocity is kept. Default 0.9. */
  readonly momentum?: number;
  /** The share of each parameter that joins its gradient. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** The length of a step as a share of the parameter's norm, at `lr` 1. Default 1e-3. */
  readonly trust?: number;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * LARS: momentum, with a rate for each parameter tensor in proportion to its norm over its gradient's, for very large
 * batches.
 *
 * ```text
 * r = trust norm(p) / (norm(g) + weightDecay norm(p))     (1 if one of the two is 0)
 * v = momentum v + lr r (g + weightDecay p)
 * p = p - v
 * ```
 *
 * @throws `invalid-argument` for a missing `lr`, a negative `lr`, `momentum`, `weightDecay` or `trust`, and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: You et al., "Large Batch Training of Convolutional Networks", 2017.
 *
 * @example
 * ```ts
 * import { applyUpdates, lars } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = lars({ lr: 10 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9977, -0.9861]
 * ```
 */
export function lars(options: LarsOptions): Rule {
  const { lr, momentum = 0.9, weightDecay, trust = 1e-3, maximize } = options;
  checkNonNegative("lars", { momentum, trust });

  return leafRule({
    name: "lars",
    lr,
    weightDecay,
    decay: "own",
    maximize,
    slots: { velocity: zeros },

    at(step) {
      const rate = step.map((t) => scheduleAt(lr, t));
      return (g, p, slots, { weightDecay }) => {
        const norm = p.norm();
        const ratio = trustRatio(norm.mul(trust), g.norm().add(norm.mul(weightDecay)));
        const direction = weightDecay === 0 ? g : g.add(p.mul(weightDecay));
        const velocity = settled(slots.velocity.mul(momentum).add(direction.mul(ratio).mul(rate)));
        return [velocity.neg(), { velocity }];
      };
    },

    hyper: () => ({ momentum, trust }),
  });
}
