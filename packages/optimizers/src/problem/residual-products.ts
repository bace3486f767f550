import { fail, type Tensor } from "@gradus/core";
import type { Product } from "./damped-model.js";
import type { Problem } from "./problem.js";

/** Products with `J^T J`, J being the Jacobian of the objective's residuals at `x`. */
export function gaussNewtonProduct<P, Batch, Aux>(problem: Problem<P, Batch, Aux>, x: Tensor): Product {
  const { layout, objective, batch, method } = problem;
  const at = objective.residuals?.(layout.unflatten(x), batch);
  if (at === undefined) {
    return fail(
      "invalid-argument",
      `${method}: the objective has no residuals, which this method needs. leastSquares(r) of @gradus/autograd makes one that has`,
    );
  }
  return (v) => {
    problem.countProduct();
    return layout.engine.scope(() => layout.flatten(at.vjp(at.jvp(layout.unflatten(v)))));
  };
}
