import {
  combineScalars,
  flattenTree,
  isScalar,
  type Leaf,
  mapLeaves,
  mapTree,
  type Scalar,
  type Tensor,
} from "@gradus/core";

/** Whether a number of the host is not 0, as a bool tensor: for {@link chooseTree} where a step's kind is a Scalar. */
export function flagOf(flag: Scalar, like: Tensor): Tensor {
  return like.engine.full([], flag, { dtype: "f32", device: like.device }).ne(0);
}

/** `fresh` where the flag is not 0, else `old`: tensors and scalars of two trees of one structure. NaN in the other is no matter. */
export function chooseTree<T>(flag: Scalar, like: Tensor, fresh: T, old: T): T {
  const bit = flagOf(flag, like);
  const tensors = mapTree(fresh, (a, b) => bit.where(a, b as Tensor), old);
  const scalars = flattenTree(old).leaves.filter(isScalar);
  let next = 0;
  return mapLeaves(tensors, (leaf): Leaf => {
    if (!isScalar(leaf)) return leaf;
    const before = scalars[next++] as Scalar;
    return combineScalars([flag, leaf, before], (one, a, b) => (one !== 0 ? a : b));
  });
}
