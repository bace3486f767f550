import { mapTree } from "@gradus/core";

/**
 * The tree with the same values, through which nothing is differentiated: JAX's `stop_gradient`. One tensor alone has
 * `detach()`.
 *
 * @example
 * ```ts
 * import { grad, stopGradient } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = (x: Tensor) => x.mul(stopGradient(x)).sum();
 * console.log(grad(f)(tensor([1, 2]))); // → Tensor f32[2] [1, 2]
 * ```
 */
export function stopGradient<T>(tree: T): T {
  return mapTree(tree, (x) => x.detach());
}
