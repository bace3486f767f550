import type { Optimizer } from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import { dampedStep } from "./problem/damped-model.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { gaussNewtonProduct } from "./problem/residual-products.js";

export interface LevenbergMarquardtOptions extends StoppingOptions {
  /** Added to the diagonal of `J^T J` at first; later steps adapt it. Default 1e-3. */
  readonly damping?: number;
  /** Products with `J^T J` that a step may use, for more than 64 parameters. Default 100. */
  readonly maxProducts?: number;
  /** Conjugate gradients end when the residual is smaller than the gradient by this factor. Default 1e-3. */
  readonly tolerance?: number;
}

/**
 * Levenberg and Marquardt's method for least squares, `sum(r^2) / 2`: `x = x - (J^T J + damping I)^-1 J^T r` with the
 * Jacobian J of the residuals r. Little damping makes it Gauss and Newton's method, much makes it gradient descent; each step
 * adapts it to how well the linear model foretold the objective.
 *
 * The system is factored on the host for at most 64 parameters, and solved by conjugate gradients above.
 *
 * - **When**: fitting curves and other least squares. Near residuals of zero it converges quadratically without second
 *   derivatives. Give it an objective of `leastSquares(r)`.
 * - **Memory**: a matrix of n x n for n parameters up to 64; else seven vectors of the parameters' size.
 * - **Evaluations**: 1 to 2 of value and gradient, and n products with `J^T J` (or up to `maxProducts`), an iteration.
 *
 * Ends with `converged`, `line-search-failed` (no damping gave a better point), `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `residuals`; `step`
 * throws `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: Madsen, Nielsen and Tingleff, "Methods for Non-Linear Least Squares Problems", 2004; SciPy's
 * `least_squares(method="lm")`.
 *
 * @example
 * ```ts
 * import { leastSquares } from "@gradus/autograd";
 * import { levenbergMarquardt, minimizeObjective } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const t = tensor([0, 1, 2, 3], { dtype: "f64" });
 * const y = tensor([2, 1, 0.5, 0.25], { dtype: "f64" }); // 2 * 2^-t
 * const decay = leastSquares((p: Tensor) => p.slice([0, 1]).mul(p.slice([1, 2]).mul(t).exp()).sub(y));
 * const start = tensor([1, 0], { dtype: "f64" });
 * const method = levenbergMarquardt({ gradientTolerance: 1e-10 });
 * const { params, success } = await minimizeObjective(decay, start, { method });
 * console.log(params.mul(1e4).round().toArray(), success); // → [ 20000, -6931 ] true
 * ```
 */
export function levenbergMarquardt(options: LevenbergMarquardtOptions = {}): Optimizer {
  const { damping = 1e-3, maxProducts = 100, tolerance = 1e-3 } = options;
  checkNonNegative("levenbergMarquardt", { damping, tolerance });
  checkCount("levenbergMarquardt", "maxProducts", maxProducts);
  return iterative({
    name: "levenbergMarquardt",
    stopping: options,
    keeps: { scalars: { damping }, tensors: {} },
    *iterate(problem, point, { scalars, tensors }) {
      const product = gaussNewtonProduct(problem, point.x);
      const next = yield* dampedStep(problem, point, product, {
        damping: scalars.damping,
        maxProducts,
        tolerance,
      });
      return {
        point: next.point,
        memory: { scalars: { damping: next.damping }, tensors },
        reason: next.reason,
      };
    },
  });
}
