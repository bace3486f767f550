import { fail, formatShape, type Tensor } from "@gradus/core";

/**
 * The coordinates of a grid: for each vector a tensor in which it varies along an axis of its own. With `indexing: "xy"` the
 * first two axes are swapped, as for images.
 *
 * @throws `shape-mismatch` for what is not a vector or a number.
 *
 * Source: PyTorch's `meshgrid`; NumPy's swaps by default.
 *
 * @example
 * ```ts
 * import { meshgrid, tensor } from "@gradus/tensor";
 * const [x] = meshgrid([tensor([1, 2]), tensor([3, 4, 5])]);
 * console.log(x?.toArray()); // → [ [ 1, 1, 1 ], [ 2, 2, 2 ] ]
 * ```
 */
export function meshgrid(
  vectors: readonly Tensor[],
  options: { readonly indexing?: "ij" | "xy" } = {},
): Tensor[] {
  const { indexing = "ij" } = options;
  if (indexing !== "ij" && indexing !== "xy")
    fail("invalid-argument", `meshgrid: indexing must be "ij" or "xy", got ${String(indexing)}`);
  for (const x of vectors)
    if (x.ndim > 1) fail("shape-mismatch", `meshgrid: expected vectors, got ${formatShape(x.shape)}`);
  const sizes = vectors.map((x) => x.size);
  const grids = vectors.map((x, axis) => x.reshape(sizes.map((n, k) => (k === axis ? n : 1))).expand(sizes));
  return indexing === "xy" && grids.length > 1 ? grids.map((grid) => grid.transpose(0, 1)) : grids;
}
