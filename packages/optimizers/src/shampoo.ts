import { fail, type Rule, type Schedule, type Shape, type Tensor } from "@gradus/core";
import { asMatrix } from "./as-matrix.js";
import { checkCount, checkDecay, checkPositive } from "./check-options.js";
import { flagOf } from "./choose.js";
import { eyeLike, inverseRoot } from "./inverse-root.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import { settled } from "./settled.js";
import type { WeightDecay } from "./weight-decay.js";

export interface ShampooOptions {
  /** The learning rate, or a schedule of it. Default 0.1. */
  readonly lr?: Schedule;
  /** How much of the last velocity is kept, in [0, 1). Default 0. */
  readonly momentum?: number;
  /** How much of the last sums of products is kept, in (0, 1]: 1 adds all of them up, less forgets. Default 1. */
  readonly beta2?: number;
  /** Where the sums begin: this times the identity. Default 1e-4. */
  readonly eps?: number;
  /** Updates from one computation of the roots to the next. Default 1. */
  readonly every?: number;
  /** The greatest axis that has a matrix of its own; longer ones are not preconditioned. Default 1024. */
  readonly maxSize?: number;
  /** Added to the gradient, times the parameter: an L2 penalty. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Shampoo: full-matrix {@link adagrad} for each axis of a matrix: the gradient times inverse roots of the sums of its products,
 * from both sides. At step t = 0, 1, ..., with L = R = eps I before the first:
 *
 * ```text
 * g = g + weightDecay p
 * L = beta2 L + g g^T
 * R = beta2 R + g^T g
 * d = L^(-1/4) g R^(-1/4)                 (with one side alone: its root to the power -1/2)
 * v = momentum v + d
 * p = p - lr v
 * ```
 *
 * A parameter of more than two axes counts as a matrix of its first axis and all others. One of less than two axes, and one
 * whose axes are both longer than `maxSize`, is treated as by Adagrad. With `every` above 1 roots are computed at each
 * `every`-th step, the first included: steps are of two kinds, `roots` and `step`, and one that is compiled with
 * `rule.variant(state)` as an argument, passed on as `context.variant`, computes them in the first kind alone; without it, in
 * each. Memory: two squares of each axis beside the velocity.
 *
 * @throws `invalid-argument` for a negative `lr` or `weightDecay`, an `eps` that is not above 0, a `momentum` outside of [0,
 * 1), a `beta2` outside of (0, 1], and an empty parameter tree; `update` throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Gupta et al., "Shampoo: Preconditioned Stochastic Tensor Optimization", 2018.
 *
 * @example
 * ```ts
 * import { applyUpdates, shampoo } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = shampoo({ lr: 0.1 });
 * const params = { w: tensor([[1, 0], [0, 1]]) };
 * const { updates } = rule.update({ w: tensor([[2, 0], [0, 3]]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w.flatten()); // → Tensor f32[4] [0.9, 0, 0, 0.9]
 * ```
 */
export function shampoo(options: ShampooOptions = {}): Rule {
  const { lr = 0.1, momentum = 0, beta2 = 1, eps = 1e-4, every = 1, maxSize = 1024 } = options;
  const { weightDecay, maximize } = options;
  checkDecay("shampoo", { momentum });
  checkPositive("shampoo", { eps });
  checkCount("shampoo", "every", every);
  checkCount("shampoo", "maxSize", maxSize);
  if (!(beta2 > 0 && beta2 <= 1)) fail("invalid-argument", `shampoo: beta2 must be in (0, 1], got ${beta2}`);
  const renews = (t: number): boolean => t % every === 0;

  const sizesOf = (shape: Shape): readonly [left: number, right: number] => {
    if (shape.length < 2) return [0, 0];
    const [rows, columns] = asMatrix(shape);
    return [rows <= maxSize ? rows : 0, columns <= maxSize ? columns : 0];
  };
  const shapes = {
    left: (shape: Shape): Shape => square(sizesOf(shape)[0]),
    right: (shape: Shape): Shape => square(sizesOf(shape)[1]),
    diagonal: (shape: Shape): Shape => (sizesOf(shape).every((n) => n === 0) ? shape : [0]),
  };
  const beginning =
    (side: 0 | 1) =>
    (p: Tensor): Tensor =>
      eyeLike(p, sizesOf(p.shape)[side]).mul(eps);
  const roots = every > 1;

  return leafRule<ShampooSlots>({
    name: "shampoo",
    lr,
    weightDecay,
    maximize,
    slots: {
      left: beginning(0),
      right: beginning(1),
      diagonal: (p) => p.engine.full(shapes.diagonal(p.shape), 0, { dtype: p.dtype, device: p.device }),
      ...(roots && { leftRoot: beginning(0), rightRoot: beginning(1) }),
      ...(momentum > 0 && { velocity: zeros }),
    } as { readonly [Slot in keyof Required<ShampooSlots>]: (param: Tensor) => Tensor },
    shapes: { ...shapes, leftRoot: shapes.left, rightRoot: shapes.right },
    ...(roots && { variant: (t: number) => (renews(t) ? "roots" : "step") }),

    at(step, { phase }) {
      const down = step.map((t) => -scheduleAt(lr, t));
      const flag = step.map((t) => (renews(t) ? 1 : 0));

      /** The root of one side: computed now, kept, or whichever the step's kind is. */
      const rootOf = (sum: Tensor, kept: Tensor | undefined, p: 2 | 4): Tensor => {
        if (kept === undefined || phase === "roots") return inverseRoot(sum, p);
        return phase === "step" ? kept : flagOf(flag, sum).where(inverseRoot(sum, p), kept);
      };

      return (g, p, slots) => {
        const [m, n] = sizesOf(p.shape);
        const power = m > 0 && n > 0 ? 4 : 2;
        let { left, right, diagonal, leftRoot, rightRoot } = slots;
        let direction: Tensor;
        if (m === 0 && n === 0) {
          diagonal = diagonal.mul(beta2).add(g.square());
          direction = g.div(diagonal.sqrt().add(eps));
        } else {
          const matrix = g.reshape(asMatrix(p.shape));
          direction = matrix;
          if (m > 0) {
            left = left.mul(beta2).add(matrix.matmul(matrix.transpose()));
            const root = rootOf(left, leftRoot, power);
            direction = root.matmul(direction);
            if (roots) leftRoot = root;
          }
          if (n > 0) {
            right = right.mul(beta2).add(matrix.transpose().matmul(matrix));
            const root = rootOf(right, rightRoot, power);
            direction = direction.matmul(root);
            if (roots) rightRoot = root;
          }
          direction = direction.reshape(p.shape);
        }
        const velocity = slots.velocity && settled(slots.velocity.mul(momentum).add(direction));
        const kept = { left, right, diagonal, leftRoot, rightRoot, velocity };
        return [(velocity ?? direction).mul(down), kept];
      };
    },

    hyper: () => ({ momentum, beta2, eps, every }),
  });
}

interface ShampooSlots {
  readonly left: Tensor;
  readonly right: Tensor;
  readonly diagonal: Tensor;
  readonly leftRoot: Tensor | undefined;
  readonly rightRoot: Tensor | undefined;
  readonly velocity: Tensor | undefined;
}

function square(n: number): Shape {
  return [n, n];
}
