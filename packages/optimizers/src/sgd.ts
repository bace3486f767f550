import { fail, mapTree, type Rule, type RuleState, type Schedule, scalar, type Tensor } from "@gradus/core";
import { checkNonNegative, checkSchedule } from "./check-options.js";
import { checkParams, checkUpdate } from "./check-trees.js";
import { scheduleAt } from "./schedule-at.js";

export interface SgdOptions {
  /** The learning rate, or a schedule of it. There is no default. */
  readonly lr: Schedule;
  /** How much of the last velocity is kept. Default 0: no velocity. */
  readonly momentum?: number;
  /** How much of a gradient does not join the velocity; the first one joins whole. Default 0. */
  readonly dampening?: number;
  /** Look ahead along the velocity (Nesterov). Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: number;
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
  const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, maximize = false } = options;
  checkSchedule("sgd", "lr", lr);
  checkNonNegative("sgd", "momentum", momentum);
  checkNonNegative("sgd", "weightDecay", weightDecay);
  if (!Number.isFinite(dampening)) {
    fail("invalid-argument", `sgd: dampening must be a finite number, got ${dampening}`);
  }
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    fail("invalid-argument", "sgd: nesterov needs a momentum above 0, and a dampening of 0");
  }
  const slotNames = momentum === 0 ? [] : (["velocity"] as const);
  return {
    name: "sgd",

    init(params) {
      checkParams("sgd", params);
      const zeros = () => mapTree(params, (p) => p.zerosLike());
      return { step: scalar(0), slots: momentum === 0 ? {} : { velocity: zeros() } };
    },

    update<P>(grads: P, state: RuleState<P>, context: { readonly params: P }) {
      const slots = checkUpdate("sgd", grads, state, context, slotNames);
      const step = state.step.map((t) => t + 1);
      const rate = state.step.map((t) => -scheduleAt(lr, t));
      let direction = maximize ? mapTree(grads, (g) => g.neg()) : grads;
      if (weightDecay !== 0) {
        direction = mapTree(direction, (g, p) => g.add(p.mul(weightDecay)), context.params);
      }
      const scaled = (tree: P): P => mapTree(tree, (g) => g.mul(rate));
      if (momentum === 0) return { updates: scaled(direction), state: { step, slots: {} } };

      const joining = state.step.map((t) => (t === 0 ? 1 : 1 - dampening));
      const join = (g: Tensor): Tensor => (dampening === 0 ? g : g.mul(joining));
      const velocity = mapTree(direction, (g, v) => v.mul(momentum).add(join(g)), slots.velocity);
      const ahead = (): P => mapTree(direction, (g, v) => g.add(v.mul(momentum)), velocity);
      return { updates: scaled(nesterov ? ahead() : velocity), state: { step, slots: { velocity } } };
    },

    hyper: ({ step }) => ({ lr: scheduleAt(lr, step.value), momentum, dampening, weightDecay }),
  };
}
