import type { Objective, Tensor } from "@gradus/core";
import { jvp } from "./jvp.js";
import { objective } from "./objective.js";
import { vjp } from "./vjp.js";

/** An {@link Objective} that knows its residuals. */
export type LeastSquares<P, Batch = undefined> = Objective<P, Batch> &
  Required<Pick<Objective<P, Batch>, "hvp" | "residuals" | "fisherVp">>;

/**
 * The least-squares problem of a vector of residuals: the objective `sum(r^2) / 2`, with the products of the Jacobian of r that
 * `gaussNewton` and `levenbergMarquardt` need.
 *
 * @param residuals any tensor of floats, of the parameters and a batch
 *
 * @example
 * ```ts
 * import { leastSquares } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const [x, y] = [tensor([0, 1, 2]), tensor([1, 3, 5])];
 * const fit = leastSquares((p: { a: Tensor; b: Tensor }) => x.mul(p.a).add(p.b).sub(y));
 * console.log(fit.value({ a: tensor(2), b: tensor(0) }, undefined).item()); // → 1.5
 * ```
 */
export function leastSquares<P, Batch = undefined>(
  residuals: (params: P, batch: Batch) => Tensor,
): LeastSquares<P, Batch> {
  return {
    ...objective((params: P, batch: Batch) => residuals(params, batch).square().sum().div(2)),
    residuals(params, batch) {
      const f = (p: P) => residuals(p, batch);
      const [values, pull] = vjp(f, params);
      return { values, jvp: (vector) => jvp(f, params, vector)[1], vjp: pull };
    },
    fisherVp(params, vector, batch) {
      const f = (p: P) => residuals(p, batch);
      const [, pushed] = jvp(f, params, vector);
      const [, pull] = vjp(f, params);
      return pull(pushed);
    },
  };
}
