import type { Rule, Schedule, Shape, Tensor } from "@gradus/core";
import { adamFactors } from "./adam-factors.js";
import { asMatrix } from "./as-matrix.js";
import { checkCount, checkDecay, checkNonNegative } from "./check-options.js";
import { flagOf } from "./choose.js";
import { eyeLike } from "./inverse-root.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { orthonormal } from "./orthonormal.js";
import type { WeightDecay } from "./weight-decay.js";

export interface SoapOptions {
  /** The learning rate, or a schedule of it. Default 3e-3. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.95. */
  readonly beta1?: number;
  /** How much of the last second moment is kept, in [0, 1). Default 0.95. */
  readonly beta2?: number;
  /** How much of the last products of gradients is kept, in [0, 1). Default 0.95. */
  readonly shampooBeta?: number;
  /** Added to the denominator, after the root. Default 1e-8. */
  readonly eps?: number;
  /** Updates from one renewal of the directions to the next. Default 10. */
  readonly every?: number;
  /** The greatest axis that is turned; longer ones stay as they are. Default 256. */
  readonly maxSize?: number;
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0.01. */
  readonly weightDecay?: WeightDecay;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * SOAP: {@link adam} in the directions in which {@link shampoo} would scale: the eigenvectors of the mean products of the
 * gradient from both sides, followed by one step of orthogonal iteration now and then. At step t = 1, 2, ..., with Q = P = I
 * before the first:
 *
 * ```text
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) (Q^T g P)^2
 * d = Q ((Q^T m P / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)) P^T
 * p = p - lr weightDecay p - lr d
 * L = shampooBeta L + (1 - shampooBeta) g g^T
 * R = shampooBeta R + (1 - shampooBeta) g^T g
 * Q = orthonormal(L Q), P = orthonormal(R P)           (at every `every`-th step)
 * ```
 *
 * A parameter of more than two axes counts as a matrix of its first axis and all others; one of less than two axes is treated
 * as by Adam. Steps are of two kinds, `turn` and `step`: one that is compiled with `rule.variant(state)` as an argument, passed
 * on as `context.variant`, renews the directions in the first kind alone; without it, in each. Memory: two squares of each axis
 * beside the two moments.
 *
 * @throws `invalid-argument` for a negative `lr`, `eps` or `weightDecay`, betas outside of [0, 1), and an empty parameter tree; `update`
 * throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", 2024, whose authors' code begins with eigenvectors of
 * the first gradient and leaves its step out; here the first steps are Adam's.
 *
 * @example
 * ```ts
 * import { applyUpdates, soap } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = soap({ lr: 0.1, weightDecay: 0 });
 * const params = { w: tensor([[1, 0], [0, 1]]) };
 * const { updates } = rule.update({ w: tensor([[2, 0], [0, 3]]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w.flatten()); // → Tensor f32[4] [0.9, 0, 0, 0.9]
 * ```
 */
export function soap(options: SoapOptions = {}): Rule {
  const { lr = 3e-3, beta1 = 0.95, beta2 = 0.95, shampooBeta = 0.95, eps = 1e-8, every = 10 } = options;
  const { maxSize = 256, weightDecay = 0.01, maximize } = options;
  checkDecay("soap", { beta1, beta2, shampooBeta });
  checkNonNegative("soap", { eps });
  checkCount("soap", "every", every);
  checkCount("soap", "maxSize", maxSize);
  const turns = (t: number): boolean => (t + 1) % every === 0;

  const sizeOf = (shape: Shape, side: 0 | 1): number => {
    const size = shape.length < 2 ? 0 : asMatrix(shape)[side];
    return size <= maxSize ? size : 0;
  };
  const square =
    (side: 0 | 1) =>
    (shape: Shape): Shape => [sizeOf(shape, side), sizeOf(shape, side)];
  const identity =
    (side: 0 | 1) =>
    (p: Tensor): Tensor =>
      eyeLike(p, sizeOf(p.shape, side));
  const nothing =
    (side: 0 | 1) =>
    (p: Tensor): Tensor =>
      identity(side)(p).mul(0);

  return leafRule<SoapSlots>({
    name: "soap",
    lr,
    weightDecay,
    decay: "parameter",
    maximize,
    slots: {
      firstMoment: zeros,
      secondMoment: zeros,
      left: nothing(0),
      right: nothing(1),
      leftDirections: identity(0),
      rightDirections: identity(1),
    },
    shapes: {
      left: square(0),
      right: square(1),
      leftDirections: square(0),
      rightDirections: square(1),
    },
    variant: (t) => (turns(t) ? "turn" : "step"),

    at(step, { phase }) {
      const { rate, epsilon } = adamFactors(step, { lr, beta1, beta2, eps });
      const flag = step.map((t) => (turns(t) ? 1 : 0));

      const followed = (products: Tensor, directions: Tensor): Tensor => {
        if (phase === "step" || products.size === 0) return directions;
        // What was never seen has a product of 0: a little of the identity keeps columns independent.
        const ridge = products
          .norm()
          .mul(products.dtype === "f64" ? 1e-10 : 1e-5)
          .add(1e-30);
        const turned = orthonormal(products.matmul(directions).add(directions.mul(ridge)));
        return phase === "turn" ? turned : flagOf(flag, products).where(turned, directions);
      };

      return (g, p, slots) => {
        const firstMoment = movingAverage(slots.firstMoment, g, beta1);
        const [q, r] = [slots.leftDirections, slots.rightDirections];
        const [turnsLeft, turnsRight] = [q.size > 0, r.size > 0];
        const into = (x: Tensor): Tensor => {
          const rows = turnsLeft ? q.transpose().matmul(x) : x;
          return turnsRight ? rows.matmul(r) : rows;
        };
        const back = (x: Tensor): Tensor => {
          const rows = turnsLeft ? q.matmul(x) : x;
          return turnsRight ? rows.matmul(r.transpose()) : rows;
        };
        const flat = p.ndim < 2 ? p.shape : asMatrix(p.shape);
        const matrix = g.reshape(flat);
        const seen = into(matrix).reshape(p.shape);
        const secondMoment = movingAverage(slots.secondMoment, seen.square(), beta2);
        const scaled = into(firstMoment.reshape(flat))
          .reshape(p.shape)
          .mul(rate)
          .div(secondMoment.sqrt().add(epsilon));
        const update = back(scaled.reshape(flat)).reshape(p.shape);
        const left = turnsLeft
          ? movingAverage(slots.left, matrix.matmul(matrix.transpose()), shampooBeta)
          : slots.left;
        const right = turnsRight
          ? movingAverage(slots.right, matrix.transpose().matmul(matrix), shampooBeta)
          : slots.right;
        const directions = { leftDirections: followed(left, q), rightDirections: followed(right, r) };
        return [update, { firstMoment, secondMoment, left, right, ...directions }];
      };
    },

    hyper: () => ({ beta1, beta2, shampooBeta, eps, every }),
  });
}

interface SoapSlots {
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
  readonly left: Tensor;
  readonly right: Tensor;
  readonly leftDirections: Tensor;
  readonly rightDirections: Tensor;
}
