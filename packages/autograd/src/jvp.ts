import { checkSameStructure, mapTree } from "@gradus/core";
import { vjp } from "./vjp.js";

/**
 * The Jacobian-vector product of `f` at `params`: `[f(params), J tangents]`, how the result changes when the parameters
 * move along `tangents`.
 *
 * The pull of a vector-Jacobian product is linear in its cotangents; its own transpose is the product wanted. So no
 * operation needs a forward rule, and it costs about two reverse passes.
 *
 * @param tangents a tree like `params`
 * @throws `tree-mismatch` and `shape-mismatch` for tangents that do not fit the parameters.
 *
 * @example
 * ```ts
 * import { jvp } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const [y, dy] = jvp((x: Tensor) => x.square(), tensor([1, 2]), tensor([1, 10]));
 * console.log(y.toArray(), dy.toArray()); // → [ 1, 4 ] [ 2, 40 ]
 * ```
 */
export function jvp<P, Y>(f: (params: P) => Y, params: P, tangents: P): [value: Y, tangents: Y] {
  checkSameStructure(params, tangents, "jvp: tangents");
  const [value, pull] = vjp(f, params);
  const [, push] = vjp(
    pull,
    mapTree(value, (y) => y.zerosLike()),
  );
  return [value, push(tangents)];
}
