import {
  checkSameStructure,
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isFloat,
  mapTree,
  sameShape,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { engineOf } from "./grad.js";
import { vjp } from "./vjp.js";

/**
 * The Jacobian-vector product of `f` at `params`: `[f(params), J tangents]`, how the result changes when the parameters
 * move along `tangents`.
 *
 * The pull of a vector-Jacobian product is linear in its cotangents; its own transpose is the product wanted. So no
 * operation needs a forward rule. Eagerly it costs about as much as two gradients; compiled, what only the pull needed is
 * dropped, and it costs less than one.
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
  const { paths } = flattenTree(params);
  const given = tensorsOf(mapTree(params, (_, tangent) => tangent as Tensor, tangents));
  tensorsOf(params).forEach((x, i) => {
    const shape = given[i]?.shape ?? [];
    if (!sameShape(x.shape, shape)) {
      fail(
        "shape-mismatch",
        `jvp: the tangent of ${formatPath(paths[i] ?? [])} has shape ${formatShape(shape)}, the parameter ${formatShape(x.shape)}`,
      );
    }
  });
  return engineOf("jvp", params).scope((): [Y, Y] => {
    const { value, push } = linearized(f, params);
    return [value, push(tangents)];
  });
}

/** `f` at `params`: its value, and its Jacobian as a function of tangents and, transposed, of cotangents. */
export function linearized<P, Y>(
  f: (params: P) => Y,
  params: P,
): { value: Y; push: (tangents: P) => Y; pull: (cotangents: Y) => P } {
  const [value, pull] = vjp(f, params);
  const isMoving = (y: Tensor): boolean => isFloat(y.dtype);
  /** Indices and flags do not move. */
  const among = (moving: readonly Tensor[]): Y => {
    let next = 0;
    return mapTree(value, (y) => (isMoving(y) ? (moving[next++] as Tensor) : y.zerosLike()));
  };
  const zeros = tensorsOf(value)
    .filter(isMoving)
    .map((y) => y.zerosLike());
  if (zeros.length === 0) return { value, push: () => among([]), pull };
  const [, push] = vjp((moving: readonly Tensor[]) => pull(among(moving)), zeros as readonly Tensor[]);
  return { value, push: (tangents) => among(push(tangents)), pull };
}
