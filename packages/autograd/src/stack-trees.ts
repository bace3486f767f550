import { fail, mapTree } from "@gradus/core";

/**
 * Trees of one structure as one tree, whose tensors have a new axis `axis`: what `vmap` maps over. For random keys
 * (`stackTrees(key.split(n))`) and for ensembles (parameters of models that run together).
 *
 * @throws `invalid-argument` for an empty list, `tree-mismatch` for trees of another structure.
 *
 * @example
 * ```ts
 * import { stackTrees, vmap } from "@gradus/autograd";
 * import type { Key } from "@gradus/core";
 * import { key } from "@gradus/tensor";
 * const draw = vmap((k: Key) => k.uniform([2]));
 * console.log(draw(stackTrees(key(0).split(3))).shape); // → [ 3, 2 ]
 * ```
 */
export function stackTrees<T>(trees: readonly T[], axis = 0): T {
  const [first, ...others] = trees;
  if (first === undefined) return fail("invalid-argument", "stackTrees: expected at least one tree");
  return mapTree(
    first,
    (x, ...rest) =>
      x.engine.concat(
        [x, ...rest].map((t) => t.unsqueeze(axis)),
        axis,
      ),
    ...others,
  );
}
