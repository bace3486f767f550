import {
  checkSameStructure,
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isTensor,
  type Level,
  mapTree,
  sameShape,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { engineOf, recording, watchTree } from "./grad.js";
import { pullback } from "./pullback.js";

/**
 * The vector-Jacobian product of `f` at `params`: `[f(params), pull]`, where `pull(cotangents)` maps cotangents of the
 * result (a tree like it) to those of the parameters. It may be called any number of times.
 *
 * What the pull needs is kept while it is reachable; on a device without garbage collection, call it inside a `scope`.
 *
 * @throws `tree-mismatch` and `shape-mismatch` for cotangents that do not fit the result.
 *
 * @example
 * ```ts
 * import { vjp } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const [y, pull] = vjp((x: Tensor) => x.square(), tensor([1, 2, 3]));
 * console.log(pull(tensor([1, 0, 10]))); // → Tensor f32[3] [2, 0, 60]
 * ```
 */
export function vjp<P, Y>(f: (params: P) => Y, params: P): [value: Y, pull: (cotangents: Y) => P] {
  const engine = engineOf("vjp", params);
  const level: Level = { open: true, used: false };
  const watched = watchTree(engine, params, level);
  const result = recording(level, () => f(watched));
  const targets = flattenTree(watched).leaves.filter(isTensor);
  const outputs = tensorsOf(result);
  const pull = (cotangents: Y): P => {
    checkSameStructure(result, cotangents, "vjp: cotangents");
    const given = tensorsOf(mapTree(result, (_, cotangent) => cotangent as Tensor, cotangents));
    const { paths } = flattenTree(result);
    outputs.forEach((y, i) => {
      const shape = given[i]?.shape ?? [];
      if (!sameShape(y.shape, shape)) {
        fail(
          "shape-mismatch",
          `vjp: the cotangent of ${formatPath(paths[i] ?? [])} has shape ${formatShape(shape)}, the result ${formatShape(y.shape)}`,
        );
      }
    });
    return engine.scope(() => {
      const found = pullback(outputs, given, targets);
      let next = 0;
      return mapTree(params, (x) => found[next++] ?? x.zerosLike());
    });
  };
  return [mapTree(result, engine.settled), pull];
}
