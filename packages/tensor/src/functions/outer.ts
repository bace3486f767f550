import { fail, formatShape, type Tensor } from "@gradus/core";

/**
 * The products of all elements of one vector with all of another: `[n]` and `[m]` to `[n, m]`.
 *
 * @throws `shape-mismatch` for what is not a vector.
 *
 * Source: PyTorch's `outer`. NumPy's flattens first.
 *
 * @example
 * ```ts
 * import { outer, tensor } from "@gradus/tensor";
 * console.log(outer(tensor([1, 2]), tensor([3, 4])).toArray()); // → [ [ 3, 4 ], [ 6, 8 ] ]
 * ```
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b])
    if (x.ndim !== 1) fail("shape-mismatch", `outer: expected two vectors, got ${formatShape(x.shape)}`);
  return a.unsqueeze(1).mul(b);
}
