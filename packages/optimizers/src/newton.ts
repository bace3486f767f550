import type { Optimizer } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { cholesky, choleskySolve } from "./dense/cholesky.js";
import { dot, greatest, norm } from "./dense/vectors.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { numbersOf } from "./problem/reading.js";
import { type LineSearch, searchLine } from "./problem/search-line.js";

export interface NewtonOptions extends StoppingOptions {
  /** Added to the Hessian's diagonal, always (Levenberg). Default 0: only where it is not positive definite. */
  readonly damping?: number;
  /** How the step length is found. Default `"backtracking"`. */
  readonly lineSearch?: LineSearch;
}

/**
 * Damped Newton's method with the exact Hessian: `x = x - t (H + shift I)^-1 g`. The shift is the least of a rising row
 * that makes the matrix positive definite, by Cholesky's factorization; t is found along the line, 1 first.
 *
 * The Hessian is built from as many Hessian-vector products as there are parameters, and factored on the host in float64.
 *
 * - **When**: up to some hundred parameters, smooth and not noisy, to full precision in a few iterations. Far from a minimum,
 *   or near saddles, `trustRegion` is safer.
 * - **Memory**: a matrix of n x n for n parameters during a step, O(n^3) arithmetic.
 * - **Evaluations**: 1 to 2 of value and gradient and one Hessian (n products) an iteration.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `hvp`; `step` throws
 * `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: Nocedal and Wright, "Numerical Optimization", algorithms 3.2 and 3.3.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { newton } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().mul(tensor([1, 100])).sum());
 * const optimizer = newton();
 * const start = tensor([0, 10]);
 * const { params, reason } = await optimizer.step(f, start, optimizer.init(start), undefined);
 * console.log(params, reason); // → Tensor f32[2] [3, 3] converged
 * ```
 */
export function newton(options: NewtonOptions = {}): Optimizer {
  const { damping = 0, lineSearch = "backtracking" } = options;
  checkNonNegative("newton", { damping });
  return iterative({
    name: "newton",
    stopping: options,
    keeps: { scalars: {}, tensors: {} },
    *iterate(problem, point, memory) {
      const g = yield* numbersOf(point.gradient);
      const hessian = yield* problem.hessianAt(point.x);
      if (!hessian.every((row) => row.every(Number.isFinite))) return { point, memory, reason: "non-finite" };
      const factor = positiveDefinite(hessian, damping);
      const d = choleskySolve(factor, g).map((v) => -v);
      const direction = { vector: problem.layout.vector(d), slope: dot(d, g), length: greatest(d) };
      const searched = yield* searchLine(problem, point, direction, 1, lineSearch);
      return { point: searched.point, memory, reason: searched.reason };
    },
  });
}

/** Cholesky's factor of a matrix after adding the least of a rising row of shifts that makes it positive definite. */
function positiveDefinite(a: readonly Float64Array[], damping: number): Float64Array[] {
  const size = Math.max(...a.map(norm), Number.MIN_VALUE);
  const least = a.reduce((min, row, i) => Math.min(min, row[i] as number), Infinity);
  let shift = least > 0 ? damping : Math.max(damping, 1e-3 * size - least);
  for (;;) {
    const factor = cholesky(a, shift);
    if (factor !== undefined) return factor;
    shift = Math.max(2 * shift, 1e-3 * size);
  }
}
