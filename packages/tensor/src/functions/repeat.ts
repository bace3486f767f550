import { checkShape, fail, type Shape, type Tensor } from "@gradus/core";

/**
 * The tensor laid side by side, `counts[k]` times along axis k; axes are aligned at the right, and either side may have more
 * of them.
 *
 * @throws `invalid-argument` for counts that are not whole numbers.
 *
 * Source: PyTorch's `repeat` (which insists on a count for each axis) and `tile`, NumPy's `tile`.
 *
 * @example
 * ```ts
 * import { repeat, tensor } from "@gradus/tensor";
 * console.log(repeat(tensor([1, 2]), [2, 2]).toArray()); // → [ [ 1, 2, 1, 2 ], [ 1, 2, 1, 2 ] ]
 * ```
 */
export function repeat(x: Tensor, counts: Shape): Tensor {
  if (!Array.isArray(counts)) fail("invalid-argument", "repeat: expected a list of counts such as [2, 1]");
  checkShape("repeat", counts);
  const rank = Math.max(x.ndim, counts.length);
  const sizes = [...new Array<number>(rank - x.ndim).fill(1), ...x.shape];
  const times = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  return x
    .reshape(sizes.flatMap((n) => [1, n]))
    .expand(sizes.flatMap((n, axis) => [times[axis] as number, n]))
    .reshape(sizes.map((n, axis) => n * (times[axis] as number)));
}
