import { fail, type Rule, type Schedule } from "@gradus/core";
import { checkSchedule } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import { scheduled } from "./scheduled.js";
import { settled } from "./settled.js";
import type { WeightDecay } from "./weight-decay.js";

export interface SgdOptions {
  /** The learning rate, or a schedule of it. There is no default. */
  readonly lr: Schedule;
  /** How much of the last velocity is kept, or a schedule of it (see `oneCycle`). Default 0: no velocity. */
  readonly momentum?: Schedule;
  /** How much of a gradient does not join the velocity; the first one joins whole. Default 0. */
  readonly dampening?: number;
  /** Look ahead along the velocity (Nesterov). Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Stochastic gradient descent, with momentum if wanted. At step t, with gradient g of parameter p:
 *
 * ```text
 * g = g + weightDecay p
 * v = momentum v + (1 - dampening) g      (v = g at the first step)
 * g = nesterov ? g + momentum v : v       (only with momentum)
 * p = p - lr(t) g
 * ```
 *
 * @throws `invalid-argument` for a missing or negative `lr`, a negative `momentum` or `weightDecay`,
 * `nesterov` without momentum or with dampening, and an empty parameter tree; `update` throws `tree-mismatch`
 * or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.SGD`. Momentum: Sutskever et al., "On the importance of initialization and
 * momentum in deep learning", 2013.
 *
 * @example
 * ```ts
 * import { applyUpdates, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = sgd({ lr: 0.1, momentum: 0.9 });
 * let params = { w: tensor([1, -1]) };
 * let state = rule.init(params);
 * for (let step = 0; step < 2; step++) {
 *   const grads = { w: params.w.mul(2) }; // of the sum of squares
 *   const next = rule.update(grads, state, { params });
 *   params = applyUpdates(params, next.updates);
 *   state = next.state;
 * }
 * console.log(params.w); // → Tensor f32[2] [0.46, -0.46]
 * ```
 */
export function sgd(options: SgdOptions): Rule {
  const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay, maximize } = options;
  checkSchedule("sgd", "momentum", momentum);
  if (!Number.isFinite(dampening)) {
    fail("invalid-argument", `sgd: dampening must be a finite number, got ${dampening}`);
  }
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    fail("invalid-argument", "sgd: nesterov needs a momentum above 0, and a dampening of 0");
  }
  return leafRule({
    name: "sgd",
    lr,
    weightDecay,
    maximize,
    slots: { ...(momentum !== 0 && { velocity: zeros }) },

    at(step) {
      const rate = step.map((t) => -scheduleAt(lr, t));
      const kept = scheduled(momentum, step);
      const joining = step.map((t) => (t === 0 ? 1 : 1 - dampening));
      return (g, _, slots) => {
        if (slots.velocity === undefined) return [g.mul(rate), {}];
        const velocity = settled(slots.velocity.mul(kept).add(dampening === 0 ? g : g.mul(joining)));
        return [(nesterov ? g.add(velocity.mul(kept)) : velocity).mul(rate), { velocity }];
      };
    },

    hyper: (t) => ({ momentum: scheduleAt(momentum, t), dampening }),
  });
}
