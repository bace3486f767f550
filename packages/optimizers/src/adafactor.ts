import { fail, type Rule, type Schedule, type Shape, type Tensor } from "@gradus/core";
import { checkNonNegative, checkPositive } from "./check-options.js";
import { leafRule } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdafactorOptions {
  /** The greatest learning rate, or a schedule of it; early steps are at most `1 / sqrt(t)`. Default 0.01. */
  readonly lr?: Schedule;
  /** How fast the second moment forgets: it takes `t^beta2Decay` of each new square. Default -0.8. */
  readonly beta2Decay?: number;
  /** The least root of a second moment. Default: the dtype's epsilon. */
  readonly eps1?: number;
  /** The least size of a parameter that steps are in proportion to. Default 1e-3. */
  readonly eps2?: number;
  /** The greatest root mean square of a step before the learning rate. Default 1. */
  readonly clip?: number;
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** Keep a matrix's second moment as one number a row and one a column. Default true; false keeps it whole. */
  readonly factored?: boolean;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Adafactor: {@link adam} without a first moment, and with the second moment of a matrix as the product of its rows' and
 * its columns' means: memory for `n + m` numbers instead of `n m`. Steps are in proportion to the parameter's own size. At
 * step t = 1, 2, ...:
 *
 * ```text
 * k = t^beta2Decay
 * R = (1 - k) R + k mean over the last axis of g^2
 * C = (1 - k) C + k mean over the axis before of g^2
 * V = R C / max(mean(R), eps1)                          (of a vector: V = (1 - k) V + k g^2)
 * u = g / sqrt(max(V, eps1^2))
 * a = max(eps2, rms(p)) min(lr, 1 / sqrt(t))
 * p = p - lr weightDecay p - a u / max(1, rms(u) / clip)
 * ```
 *
 * @throws `invalid-argument` for a negative `lr`, `eps1`, `eps2` or `weightDecay`, a `beta2Decay` above 0, a
 * `clip` that is not above 0, and an empty parameter tree; `update` throws `tree-mismatch` or `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Adafactor`, whose `d` is `clip` and whose `eps` is `(eps1, eps2)` here; Shazeer and Stern,
 * "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.
 *
 * @example
 * ```ts
 * import { adafactor, applyUpdates } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adafactor({ lr: 0.1 });
 * const params = { w: tensor([[1, -1]]) };
 * const { updates, state } = rule.update({ w: tensor([[0.5, -3]]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w.flatten()); // → Tensor f32[2] [0.9, -0.9]
 * console.log(state.slots.rows?.w.shape, state.slots.columns?.w.shape); // → [ 1, 1 ] [ 1, 2 ]
 * ```
 */
export function adafactor(options: AdafactorOptions = {}): Rule {
  const { lr = 0.01, beta2Decay = -0.8, eps1, eps2 = 1e-3, clip = 1, factored = true } = options;
  const { weightDecay, maximize } = options;
  checkNonNegative("adafactor", { eps2, ...(eps1 !== undefined && { eps1 }) });
  if (!(beta2Decay <= 0 && beta2Decay > -Infinity)) {
    fail("invalid-argument", `adafactor: beta2Decay must be a number of at most 0, got ${beta2Decay}`);
  }
  checkPositive("adafactor", { clip });

  const factors = (shape: Shape): boolean => factored && shape.length > 1;
  const rowsOf = (shape: Shape): Shape => (factors(shape) ? [...shape.slice(0, -1), 1] : shape);
  const columnsOf = (shape: Shape): Shape =>
    factors(shape) ? [...shape.slice(0, -2), 1, shape.at(-1) as number] : [0];
  const begin =
    (shapeOf: (shape: Shape) => Shape) =>
    (p: Tensor): Tensor =>
      p.engine.full(shapeOf(p.shape), 0, { dtype: p.dtype, device: p.device });

  return leafRule<{ readonly rows: Tensor; readonly columns: Tensor }>({
    name: "adafactor",
    lr,
    weightDecay,
    decay: "parameter",
    maximize,
    slots: { rows: begin(rowsOf), columns: begin(columnsOf) },
    shapes: { rows: rowsOf, columns: columnsOf },

    at(step) {
      const joining = step.map((t) => (t + 1) ** beta2Decay);
      const kept = joining.map((k) => 1 - k);
      const down = step.map((t) => -Math.min(scheduleAt(lr, t), 1 / Math.sqrt(t + 1)));
      return (g, p, slots) => {
        const least = eps1 ?? epsilonOf(p);
        const square = g.square();
        const split = factors(p.shape);
        const rows = slots.rows.mul(kept).add((split ? meanOver(square, -1) : square).mul(joining));
        const columns = split
          ? slots.columns.mul(kept).add(meanOver(square, -2).mul(joining))
          : slots.columns;
        const variance = split ? rows.mul(columns).div(meanOver(rows, -2).maximum(least)) : rows;
        const direction = g.mul(variance.maximum(least * least).rsqrt());
        const size = rootMeanSquare(p).maximum(eps2).mul(down);
        const tooLong = rootMeanSquare(direction).div(clip).maximum(1);
        return [direction.mul(size.div(tooLong)), { rows, columns }];
      };
    },

    hyper: () => ({ beta2Decay, eps2, clip }),
  });
}

function meanOver(x: Tensor, axis: number): Tensor {
  return x.mean(axis, { keepdims: true });
}

/** The root of the mean square; 0 of an empty tensor. */
function rootMeanSquare(x: Tensor): Tensor {
  return x.norm().div(Math.sqrt(Math.max(1, x.size)));
}

/** The distance from 1 to the next greater number of the dtype. */
function epsilonOf({ dtype }: Tensor): number {
  return dtype === "f64" ? Number.EPSILON : 2 ** -23;
}
