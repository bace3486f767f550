import type { Optimizer } from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import { dampedSolver } from "./problem/damped-model.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { inner } from "./problem/problem.js";
import { readAll } from "./problem/reading.js";
import { gaussNewtonProduct } from "./problem/residual-products.js";
import { checkLineSearch, type LineSearch, searchLine } from "./problem/search-line.js";

export interface GaussNewtonOptions extends StoppingOptions {
  /** How the step length is found. Default `"backtracking"`. */
  readonly lineSearch?: LineSearch;
  /** Products with `J^T J` that a step may use, for more than 64 parameters. Default 100. */
  readonly maxProducts?: number;
  /** Conjugate gradients end when the residual is smaller than the gradient by this factor. Default 1e-3. */
  readonly tolerance?: number;
}

/**
 * Gauss and Newton's method for least squares, `sum(r^2) / 2`: the residuals are taken as linear, `d = -(J^T J)^-1 J^T r`, and
 * a line search along d, 1 first, keeps the objective falling.
 *
 * - **When**: least squares whose residuals are small or nearly linear, from a good start. Where J loses rank, or the start is
 *   far, `levenbergMarquardt`.
 * - **Memory**: a matrix of n x n for n parameters up to 64; else seven vectors of the parameters' size.
 * - **Evaluations**: 1 to 2 of value and gradient, and n products with `J^T J` (or up to `maxProducts`), an iteration.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `residuals`; `step`
 * throws `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: Nocedal and Wright, "Numerical Optimization", section 10.3.
 *
 * @example
 * ```ts
 * import { leastSquares } from "@gradus/autograd";
 * import { gaussNewton, minimizeObjective } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const [x, y] = [tensor([0, 1, 2]), tensor([1, 3, 5])];
 * const line = leastSquares((p: Tensor) => x.mul(p.slice([0, 1])).add(p.slice([1, 2])).sub(y));
 * const { params, iterations } = await minimizeObjective(line, tensor([0, 0]), { method: gaussNewton() });
 * console.log(params.round(), iterations < 3); // → Tensor f32[2] [2, 1] true
 * ```
 */
export function gaussNewton(options: GaussNewtonOptions = {}): Optimizer {
  const { lineSearch = "backtracking", maxProducts = 100, tolerance = 1e-3 } = options;
  checkLineSearch("gaussNewton", lineSearch);
  checkNonNegative("gaussNewton", { tolerance });
  checkCount("gaussNewton", "maxProducts", maxProducts);
  return iterative({
    name: "gaussNewton",
    stopping: options,
    keeps: { scalars: {}, tensors: {} },
    *iterate(problem, point, memory) {
      const product = gaussNewtonProduct(problem, point.x);
      const solve = yield* dampedSolver(problem, point, product, { maxProducts, tolerance });
      const solved = yield* solve(0);
      if (solved === undefined) return { point, memory, reason: "non-finite" };
      const vector = solved.step;
      const [slope, length] = yield* readAll(
        problem.layout.engine.scope(() => [inner(vector, point.gradient), vector.abs().max()] as const),
      );
      const searched = yield* searchLine(problem, point, { vector, slope, length }, 1, lineSearch);
      return { point: searched.point, memory, reason: searched.reason };
    },
  });
}
