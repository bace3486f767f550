import { fail, formatShape, normalizeAxis, promote, type Shape, sameShape, type Tensor } from "@gradus/core";
import { checkPositions, checkWhole } from "../ops/positions.js";
import { scatterRows } from "../ops/rows.js";

/**
 * `x` with the rows of `source`, times `alpha` (1), added to those of an axis that a vector of positions names, in order.
 *
 * @throws `shape-mismatch` unless the source has x's shape but for as many rows as the index; `index-out-of-range`,
 * `dtype-mismatch` for an index that is not of whole numbers.
 *
 * Source: PyTorch's `index_add`.
 *
 * @example
 * ```ts
 * import { indexAdd, tensor, zeros } from "@gradus/tensor";
 * const index = tensor([2, 0, 2], { dtype: "i32" });
 * console.log(indexAdd(zeros([3]), 0, index, tensor([1, 2, 3]))); // → Tensor f32[3] [2, 0, 4]
 * ```
 */
export function indexAdd(
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
  options: { readonly alpha?: number } = {},
): Tensor {
  const { alpha = 1 } = options;
  checkWhole("indexAdd", index);
  const at = normalizeAxis("indexAdd", axis, Math.max(1, x.ndim));
  if (x.ndim === 0) {
    return indexAdd(x.reshape([1]), 0, index.reshape([-1]), source.reshape([-1]), options).reshape([]);
  }
  checkRows("indexAdd", x.shape, at, index, source);
  const joined = promote(x.dtype, source.dtype);
  const dtype = joined === "bool" ? "i32" : joined;
  const added = source.cast(dtype);
  return scatterRows(
    x.cast(dtype),
    at,
    index.reshape([-1]).cast("i32"),
    alpha === 1 ? added : added.mul(alpha),
    "sum",
  );
}

function checkRows(op: string, shape: Shape, axis: number, index: Tensor, source: Tensor): void {
  const expected = shape.map((n, k) => (k === axis ? index.size : n));
  if (index.ndim > 1 || !sameShape(source.shape, expected)) {
    fail(
      "shape-mismatch",
      `${op}: for ${formatShape(shape)} and an index of ${formatShape(index.shape)} along axis ${axis} the source must be ${formatShape(expected)}, got ${formatShape(source.shape)}`,
    );
  }
  checkPositions(op, index, shape[axis] as number, axis);
}
