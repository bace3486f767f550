import type { Optimizer } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { cholesky, choleskySolve } from "./dense/cholesky.js";
import { symmetricEigen } from "./dense/symmetric-eigen.js";
import { dot, greatest } from "./dense/vectors.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { numbersOf } from "./problem/reading.js";
import { checkLineSearch, type LineSearch, searchLine } from "./problem/search-line.js";

export interface NewtonOptions extends StoppingOptions {
  /** Added to the Hessian's diagonal, always (Levenberg). Default 0: only where it is not positive definite. */
  readonly damping?: number;
  /** How the step length is found. Default `"backtracking"`. */
  readonly lineSearch?: LineSearch;
}

/**
 * Damped Newton's method with the exact Hessian: `x = x - t (H + shift I)^-1 g`. Where the Hessian is not positive
 * definite, the shift lifts its least eigenvalue to a tenth of its greatest one (Levenberg damping); t is found along the
 * line, 1 first.
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
  checkLineSearch("newton", lineSearch);
  checkNonNegative("newton", { damping });
  return iterative({
    name: "newton",
    stopping: options,
    keeps: { scalars: {}, tensors: {} },
    *iterate(problem, point, memory) {
      const g = yield* numbersOf(point.gradient);
      const hessian = yield* problem.hessianAt(point.x);
      if (!hessian.every((row) => row.every(Number.isFinite))) return { point, memory, reason: "non-finite" };
      const d = choleskySolve(positiveDefinite(hessian, damping), g).map((v) => -v);
      const direction = { vector: problem.layout.vector(d), slope: dot(d, g), length: greatest(d) };
      const searched = yield* searchLine(problem, point, direction, 1, lineSearch);
      return { point: searched.point, memory, reason: searched.reason };
    },
  });
}

/**
 * Cholesky's factor of a matrix, after adding to its diagonal what makes it well positive definite, if it is not: as much as
 * lifts its least eigenvalue to a tenth of its greatest.
 */
function positiveDefinite(a: readonly Float64Array[], damping: number): Float64Array[] {
  const factor = cholesky(a, damping);
  if (factor !== undefined) return factor;
  const { values } = symmetricEigen(a);
  const size = Math.max(greatest(values), Number.MIN_VALUE);
  let shift = Math.max(damping, -(values[0] as number) + 0.1 * size);
  for (;;) {
    const shifted = cholesky(a, shift);
    if (shifted !== undefined) return shifted;
    shift *= 2;
  }
}
