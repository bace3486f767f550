import { objective } from "@gradus/autograd";
import type { Objective, Tensor } from "@gradus/core";
import { type Minimized, type MinimizeOptions, minimizeObjective } from "@gradus/optimizers";

/**
 * A minimum of a function, in one call, as SciPy's `minimize`: by any method, with a report of what was reached.
 *
 * The gradient and Hessian-vector products are derived from `f`, which runs eagerly: it may look at values. What is known
 * better, such as residuals for `"levenberg-marquardt"`, is passed as an `Objective` instead (see `leastSquares`).
 *
 * `critical` says whether the Hessian at the end is that of a minimum or a saddle. Saddles and flat places are left where
 * something is lower beside them; `success` is never true at a saddle. For functions with many minima there are `restarts`
 * and `hops`.
 *
 * Computes in the dtype of `start`. In f32, a minimum is found to about 3 digits of the parameters; for more, start with f64.
 *
 * @param f one number, of a tree of float tensors
 * @throws `invalid-argument` for an unknown method or options out of range, and what differentiating `f` throws.
 *
 * @example
 * ```ts
 * import { minimize } from "@gradus/train";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const rosenbrock = (x: Tensor) => {
 *   const [a, b] = [x.slice([0, 1]), x.slice([1, 2])];
 *   return a.sub(1).square().add(b.sub(a.square()).square().mul(100)).sum();
 * };
 * const r = await minimize(rosenbrock, tensor([-1.2, 1]), { method: "trust-region" });
 * console.log(r.params, r.reason, r.critical); // → Tensor f32[2] [1, 1] converged minimum
 * console.log(r.evaluations.gradient < 30); // → true
 * ```
 */
export function minimize<P>(
  f: ((params: P) => Tensor) | Objective<P>,
  start: P,
  options: MinimizeOptions<P> = {},
): Promise<Minimized<P>> {
  return minimizeObjective(typeof f === "function" ? objective((params: P) => f(params)) : f, start, options);
}
