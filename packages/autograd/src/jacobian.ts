import {
  fail,
  flattenTree,
  formatPath,
  isFloat,
  isTensor,
  mapTree,
  type Shape,
  sizeOf,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { grad } from "./grad.js";
import { jvp } from "./jvp.js";
import { vjp } from "./vjp.js";
import { vmap } from "./vmap.js";

/** A tree like the result `Y`, each tensor replaced by a tree like the parameters `P`. */
export type Jacobian<Y, P> = Y extends Tensor
  ? P
  : Y extends object
    ? { readonly [K in keyof Y]: Jacobian<Y[K], P> }
    : Y;

export interface JacobianOptions {
  /**
   * Row by row (reverse: one pull for each element of the result) or column by column (forward: one push for each element
   * of the parameters). Default: whichever is fewer.
   */
  readonly mode?: "forward" | "reverse";
}

/**
 * The Jacobian of `f` by its first argument, a tree of float tensors: for each tensor of the result, of shape `s`, and each
 * of the parameters, of shape `t`, the derivatives of each element by each, of shape `[...s, ...t]`. They are in a tree like
 * the result whose tensors are replaced by trees like the parameters. Further arguments are not differentiated.
 *
 * All rows (or columns) are computed at once, as `vmap` of a pull (or push).
 *
 * @throws what `vjp` throws; `not-differentiable` for a result that is no float.
 *
 * @example
 * ```ts
 * import { jacobian } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = (x: Tensor) => x.square();
 * console.log(jacobian(f)(tensor([1, 2])).toArray()); // → [ [ 2, 0 ], [ 0, 4 ] ]
 * ```
 */
export function jacobian<P, Rest extends readonly unknown[], Y>(
  f: (params: P, ...rest: Rest) => Y,
  options: JacobianOptions = {},
): (params: P, ...rest: Rest) => Jacobian<Y, P> {
  return (params, ...rest) => {
    const [first] = tensorsOf(params);
    if (first === undefined) {
      return fail("no-gradient", "jacobian: there is no tensor to differentiate by in the first argument");
    }
    const g = (p: P): Y => f(p, ...rest);
    return first.engine.scope(() => {
      const [value, pull] = vjp(g, params);
      const outputs = flattenTree(value);
      outputs.leaves.forEach((leaf, i) => {
        if (isTensor(leaf) && !isFloat(leaf.dtype)) {
          fail(
            "not-differentiable",
            `jacobian: the result${outputs.paths[i]?.length === 0 ? "" : ` ${formatPath(outputs.paths[i] ?? [])}`} is ${leaf.dtype}, which has no derivative`,
          );
        }
      });
      const [rows, columns] = [elements(value), elements(params)];
      const mode = options.mode ?? (rows <= columns ? "reverse" : "forward");
      return mode === "reverse" ? byRows(value, params, pull) : byColumns(value, params, g);
    }) as Jacobian<Y, P>;
  };
}

/**
 * The Hessian of a function with one number as its result: {@link jacobian} of its gradient. For parameters of shapes `s`
 * and `t` the second derivatives have shape `[...s, ...t]`.
 *
 * @example
 * ```ts
 * import { hessian } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = (x: Tensor) => x.prod();
 * console.log(hessian(f)(tensor([2, 3])).toArray()); // → [ [ 0, 1 ], [ 1, 0 ] ]
 * ```
 */
export function hessian<P, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor,
): (params: P, ...rest: Rest) => Jacobian<P, P> {
  return jacobian(grad(f), { mode: "reverse" });
}

function byRows<P, Y>(value: Y, params: P, pull: (cotangents: Y) => P): unknown {
  const rows = tensorsOf(vmap(pull)(basisOf(value)));
  let start = 0;
  return replaceTensors(value, (y) => {
    const from = start;
    start += y.size;
    let k = 0;
    return mapTree(params, (x) =>
      (rows[k++] as Tensor).slice([from, start]).reshape([...y.shape, ...x.shape]),
    );
  });
}

function byColumns<P, Y>(value: Y, params: P, f: (params: P) => Y): unknown {
  const columns = tensorsOf(vmap((tangents: P) => jvp(f, params, tangents)[1])(basisOf(params)));
  let k = 0;
  return replaceTensors(value, (y) => {
    const all = columns[k++] as Tensor;
    let start = 0;
    return mapTree(params, (x) => {
      const from = start;
      start += x.size;
      const last = [...y.shape.map((_, axis) => axis + 1), 0];
      return all
        .slice([from, start])
        .permute(last)
        .reshape([...y.shape, ...x.shape]);
    });
  });
}

/** The unit vectors of a tree's space: each tensor gains an axis in front, as long as the tree has elements. */
function basisOf<T>(tree: T): T {
  const count = elements(tree);
  let start = 0;
  return mapTree(tree, (x) => {
    const block = unitRows(x, count, start);
    start += sizeOf(x.shape);
    return block.reshape([count, ...x.shape]);
  });
}

/** `[count, x.size]`: ones where the row is the column plus `start`. */
function unitRows(x: Tensor, count: number, start: number): Tensor {
  const { engine, device, dtype } = x;
  const rows = engine.arange(0, count, 1, { device }).unsqueeze(1);
  return rows.eq(engine.arange(start, start + x.size, 1, { device })).cast(dtype);
}

function elements(tree: unknown): number {
  return tensorsOf(tree).reduce((sum, x) => sum + sizeOf(x.shape as Shape), 0);
}

/** The tree with its tensors replaced by trees. */
function replaceTensors(tree: unknown, f: (x: Tensor) => unknown): unknown {
  const { leaves, rebuild } = flattenTree(tree);
  return rebuild(leaves.map((leaf) => (isTensor(leaf) ? f(leaf) : leaf)) as typeof leaves);
}
