import { fail, isTensor, mapTree, type Optimizer, type Tensor } from "@gradus/core";
import { type Box, minimizeInBox } from "./box-model.js";
import { checkCount } from "./check-options.js";
import { checkLike } from "./check-trees.js";
import { CompactHessian } from "./compact-hessian.js";
import { dot, greatest, norm } from "./dense/vectors.js";
import type { FlatLayout } from "./problem/flat-layout.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import type { Point } from "./problem/problem.js";
import { numbersOf, type Reading } from "./problem/reading.js";
import { searchLine } from "./problem/search-line.js";

export interface LbfgsbOptions extends StoppingOptions {
  /** The least that parameters may be: a number for all, or a tree like the parameters. Default -Infinity. */
  readonly lower?: unknown;
  /** The most that parameters may be. Default Infinity. */
  readonly upper?: unknown;
  /** How many past steps the curvature is estimated from. Default 10. */
  readonly history?: number;
}

/**
 * L-BFGS-B: L-BFGS within bounds, `lower <= x <= upper`. Each iteration minimises a limited-memory quadratic model within the
 * bounds (along the projected gradient, then over the parameters that are free) and searches the line to that point. The
 * objective is never asked outside of the bounds. Its algebra is done on the host, in float64.
 *
 * Converged when no element of the gradient, as far as the bounds let the parameter follow it, is above the tolerance.
 *
 * - **When**: smooth problems with bounds: rates and scales that must not be negative, boxes of trust. Without bounds, `lbfgs`.
 * - **Memory**: `2 history` vectors of the parameters' size.
 * - **Evaluations**: about 1.2 of value and gradient an iteration.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, a lower bound above the upper one, an empty parameter tree, or parameters
 * outside of the bounds; `step` throws `tree-mismatch` or `shape-mismatch` for bounds or a state of something else.
 *
 * Source: Byrd, Lu, Nocedal and Zhu, "A Limited Memory Algorithm for Bound Constrained Optimization", 1995; SciPy's
 * `minimize(method="L-BFGS-B")`.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { lbfgsb, minimizeObjective } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().sum());
 * const method = lbfgsb({ lower: 0, upper: tensor([2, 10]) });
 * const { params, reason } = await minimizeObjective(f, tensor([0, 0]), { method });
 * console.log(params, reason); // → Tensor f32[2] [2, 3] converged
 * ```
 */
export function lbfgsb(options: LbfgsbOptions = {}): Optimizer {
  const { lower = -Infinity, upper = Infinity, history = 10 } = options;
  checkCount("lbfgsb", "history", history);
  for (const [name, bound] of Object.entries({ lower, upper })) {
    if (typeof bound === "number" && Number.isNaN(bound)) {
      fail("invalid-argument", `lbfgsb: ${name} must be a number or a tree like the parameters, got NaN`);
    }
  }
  if (typeof lower === "number" && typeof upper === "number" && lower > upper) {
    fail("invalid-argument", `lbfgsb: lower must be at most upper, got ${lower} and ${upper}`);
  }
  return iterative({
    name: "lbfgsb",
    stopping: options,
    keeps: { scalars: {}, tensors: { steps: "list", changes: "list" } },
    *iterate(problem, point, { scalars, tensors }) {
      const { layout } = problem;
      const box = yield* boxOf(layout, lower, upper);
      const x = yield* numbersOf(point.x);
      const g = yield* numbersOf(point.gradient);
      const histories = { steps: [] as Float64Array[], changes: [] as Float64Array[] };
      for (const name of ["steps", "changes"] as const) {
        for (const v of tensors[name]) histories[name].push(yield* numbersOf(v));
      }
      const hessian = new CompactHessian(histories.steps, histories.changes);
      const target = minimizeInBox(x, g, hessian, box);
      const d = target?.map((v, i) => v - (x[i] as number));
      const slope = d === undefined ? 0 : dot(d, g);
      const fresh = { scalars, tensors: { steps: [], changes: [] } };
      // The estimate has broken down: begin it anew.
      if (d === undefined || !(slope < 0)) {
        if (hessian.rank > 0) return { point, memory: fresh };
        return { point, memory: fresh, reason: Number.isFinite(slope) ? "converged" : "non-finite" };
      }
      const first = hessian.rank === 0 ? Math.min(1, 1 / norm(d)) : 1;
      const direction = { vector: layout.vector(d), slope, length: greatest(d) };
      const within = {
        maxStep: maxStep(x, d, box),
        project: (at: Tensor): Tensor =>
          at.maximum(layout.vector(box.lower)).minimum(layout.vector(box.upper)),
      };
      const searched = yield* searchLine(problem, point, direction, first, "strong-wolfe", within);
      if (searched.point === point) {
        if (searched.reason === "line-search-failed" && hessian.rank > 0) return { point, memory: fresh };
        return { point, memory: { scalars, tensors }, reason: searched.reason };
      }
      const { engine } = layout;
      const next = searched.point;
      const step = engine.scope(() => next.x.sub(point.x));
      const change = engine.scope(() => next.gradient.sub(point.gradient));
      const [s, y] = [yield* numbersOf(step), yield* numbersOf(change)];
      const curved = dot(s, y) > Number.EPSILON * dot(y, y);
      return {
        point: next,
        memory: curved
          ? {
              scalars,
              tensors: {
                steps: [...tensors.steps, step].slice(-history),
                changes: [...tensors.changes, change].slice(-history),
              },
            }
          : { scalars, tensors },
      };
    },

    *steepness(layout: FlatLayout<unknown>, point: Point): Reading<number> {
      const box = yield* boxOf(layout, lower, upper);
      const x = yield* numbersOf(point.x);
      const g = yield* numbersOf(point.gradient);
      return greatest(
        g.map((slope, i) => {
          const at = x[i] as number;
          return Math.min(Math.max(at - slope, box.lower[i] as number), box.upper[i] as number) - at;
        }),
      );
    },
  });
}

/** The bounds as vectors, after checking that the parameters are between them. */
function* boxOf<P>(layout: FlatLayout<P>, lower: unknown, upper: unknown): Reading<Box> {
  const vectorOf = function* (name: string, bound: unknown): Reading<Float64Array> {
    if (typeof bound === "number") return new Float64Array(layout.size).fill(bound);
    checkLike(`lbfgsb: ${name}`, layout.params, bound);
    return yield* numbersOf(
      layout.flatten(mapTree(bound as P, (leaf) => (isTensor(leaf) ? leaf.cast(layout.dtype) : leaf))),
    );
  };
  const box = { lower: yield* vectorOf("lower", lower), upper: yield* vectorOf("upper", upper) };
  const x = yield* numbersOf(layout.flatten(layout.params));
  x.forEach((v, i) => {
    const [least, most] = [box.lower[i] as number, box.upper[i] as number];
    if (v >= least && v <= most) return;
    fail(
      "invalid-argument",
      least > most
        ? `lbfgsb: lower must be at most upper, got ${least} and ${most} for element ${i}`
        : `lbfgsb: element ${i} of the parameters is ${v}, outside of [${least}, ${most}]: clamp them first`,
    );
  });
  return box;
}

/** How far the direction leads until the first bound. */
function maxStep(x: Float64Array, d: Float64Array, { lower, upper }: Box): number {
  let most = Infinity;
  d.forEach((step, i) => {
    if (step === 0) return;
    const bound = (step > 0 ? upper[i] : lower[i]) as number;
    most = Math.min(most, (bound - (x[i] as number)) / step);
  });
  return Math.max(most, 1);
}
