import { broadcastShapes, normalizeAxis, type Tensor } from "@gradus/core";

/**
 * The elements at positions along an axis, tensor and index broadcast in the other axes; without an axis, of the flattened
 * tensor. With the positions of `argsort` it sorts.
 *
 * @throws `index-out-of-range`, `shape-mismatch`; `dtype-mismatch` for an index that is not of whole numbers.
 *
 * Source: PyTorch's `take_along_dim`, NumPy's `take_along_axis`.
 *
 * @example
 * ```ts
 * import { takeAlong, tensor } from "@gradus/tensor";
 * const x = tensor([[3, 1, 2]]);
 * console.log(takeAlong(x, x.argsort(1), 1).flatten()); // → Tensor f32[3] [1, 2, 3]
 * ```
 */
export function takeAlong(x: Tensor, index: Tensor, axis?: number): Tensor {
  if (axis === undefined) return x.reshape([x.size]).gather(0, index.reshape([index.size]));
  const at = normalizeAxis("takeAlong", axis, x.ndim);
  const others = (t: Tensor): number[] => t.shape.map((n, k) => (k === at ? 1 : n));
  const joined = broadcastShapes("takeAlong", others(x), others(index));
  const spread = (t: Tensor): Tensor =>
    t.expand(joined.map((n, k) => (k === at ? (t.shape[k] as number) : n)));
  return index.ndim === x.ndim ? spread(x).gather(at, spread(index)) : x.gather(at, index);
}
