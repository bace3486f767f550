import { mapTree, type Tensor, tensorsOf } from "@gradus/core";
import { grad } from "./grad.js";

/**
 * The Hessian of `f` at `params` times `vector`, without the Hessian: the gradient of `<grad f, vector>`. It costs about
 * two gradients, whatever the number of parameters.
 *
 * @param f a function with one number as its result
 * @param vector a tree like `params`
 * @throws what `grad` throws; `tree-mismatch` for a vector of another structure.
 *
 * @example
 * ```ts
 * import { hvp } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = (x: Tensor) => x.pow(3).sum();
 * console.log(hvp(f, tensor([1, 2]), tensor([1, 1]))); // → Tensor f32[2] [6, 12]
 * ```
 */
export function hvp<P>(f: (params: P) => Tensor, params: P, vector: P): P {
  return grad((p: P) => inner(grad(f)(p), vector))(params);
}

/** The sum of the products of all elements of two trees of one structure. */
function inner<P>(a: P, b: P): Tensor {
  const products = tensorsOf(mapTree(a, (x, y) => x.mul(y as Tensor).sum(), b));
  return products.reduce((sum, product) => sum.add(product));
}
