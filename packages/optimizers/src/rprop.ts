import { fail, type Rule } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";

export interface RpropOptions {
  /** The size of the first step. Default 0.01. */
  readonly lr?: number;
  /** What a step's size is multiplied by where the gradient turned, in (0, 1). Default 0.5. */
  readonly shrink?: number;
  /** What a step's size is multiplied by where the gradient kept its sign, above 1. Default 1.2. */
  readonly grow?: number;
  /** The least size of a step. Default 1e-6. */
  readonly minStep?: number;
  /** The greatest size of a step. Default 50. */
  readonly maxStep?: number;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Rprop: every parameter has a step size of its own, and of the gradient only the sign counts. For full batches: it
 * does not bear noise.
 *
 * ```text
 * s = clamp(s grow, minStep, maxStep)         where the gradient has the sign of the last one
 * s = clamp(s shrink, minStep, maxStep), g = 0  where it has the other
 * p = p - s sign(g)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr` or `minStep`, `shrink` outside of (0, 1), a `grow` of at most 1, a `maxStep` below `minStep`, and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Rprop`; Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning:
 * The RPROP Algorithm", 1993.
 *
 * @example
 * ```ts
 * import { applyUpdates, rprop } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = rprop({ lr: 0.1 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function rprop(options: RpropOptions = {}): Rule {
  const { lr = 0.01, shrink = 0.5, grow = 1.2, minStep = 1e-6, maxStep = 50, maximize } = options;
  checkNonNegative("rprop", { lr, minStep });
  if (!(shrink > 0 && shrink < 1 && grow > 1 && grow < Infinity)) {
    fail("invalid-argument", `rprop: shrink must be in (0, 1) and grow above 1, got ${shrink} and ${grow}`);
  }
  if (!(maxStep >= minStep)) {
    fail("invalid-argument", `rprop: maxStep must be at least minStep = ${minStep}, got ${maxStep}`);
  }

  return leafRule({
    name: "rprop",
    lr,
    maximize,
    slots: { previous: zeros, stepSize: (p) => zeros(p).add(lr) },

    at: () => (g, _, slots) => {
      const agreement = g.mul(slots.previous);
      const turned = agreement.lt(0);
      const size = slots.stepSize;
      const scaled = turned.where(size.mul(shrink), agreement.gt(0).where(size.mul(grow), size));
      const stepSize = scaled.clamp(minStep, maxStep);
      const previous = turned.where(g.zerosLike(), g);
      return [previous.sign().mul(stepSize).neg(), { previous, stepSize }];
    },

    hyper: () => ({ shrink, grow, minStep, maxStep }),
  });
}
