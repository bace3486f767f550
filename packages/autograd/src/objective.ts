import type { Objective, Tensor } from "@gradus/core";
import { valueAndGrad } from "./grad.js";
import { hvp } from "./hvp.js";

/** An {@link Objective} that has Hessian-vector products. */
export type SmoothObjective<P, Batch = undefined, Aux = undefined> = Objective<P, Batch, Aux> &
  Required<Pick<Objective<P, Batch, Aux>, "hvp">>;

/**
 * A function with one number as its result, as second-order optimizers ask for it: value, value with gradient, and
 * Hessian times vector.
 *
 * It runs eagerly, so it may look at values. For a function that runs often, compile the parts:
 * `{ ...o, valueAndGrad: compile(o.valueAndGrad) }`.
 *
 * @param f of the parameters (a tree) and, where there is one, a batch
 * @throws what `valueAndGrad` and `hvp` throw, when they are called.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const cube = objective((x: Tensor) => x.pow(3).sum());
 * const [value, gradient] = cube.valueAndGrad(tensor([1, 2]), undefined);
 * console.log(value.item(), gradient.toArray()); // → 9 [ 3, 12 ]
 * console.log(cube.hvp(tensor([1, 2]), tensor([1, 0]), undefined).toArray()); // → [ 6, 0 ]
 * ```
 */
export function objective<P, Batch = undefined>(
  f: (params: P, batch: Batch) => Tensor,
): SmoothObjective<P, Batch> {
  const differentiated = valueAndGrad((params: P, batch: Batch) => f(params, batch));
  return {
    value: f,
    valueAndGrad(params, batch) {
      const [loss, grads] = differentiated(params, batch);
      return [loss, grads, undefined];
    },
    hvp: (params, vector, batch) => hvp((p: P) => f(p, batch), params, vector),
  };
}
