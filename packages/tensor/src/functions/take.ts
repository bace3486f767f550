import type { Tensor } from "@gradus/core";
import { checkPositions, checkWhole, fromFront } from "../ops/positions.js";
import { takeRows } from "../ops/rows.js";

/**
 * The elements at row-major positions, in the index's shape; negative ones count from the end.
 *
 * @throws `index-out-of-range`; `dtype-mismatch` for an index that is not of whole numbers.
 *
 * Source: PyTorch's `take`.
 *
 * @example
 * ```ts
 * import { take, tensor } from "@gradus/tensor";
 * console.log(take(tensor([[1, 2], [3, 4]]), tensor([0, -1], { dtype: "i32" }))); // → Tensor f32[2] [1, 4]
 * ```
 */
export function take(x: Tensor, index: Tensor): Tensor {
  checkWhole("take", index);
  checkPositions("take", index, x.size, 0, true);
  const positions = fromFront(index, x.size).reshape([index.size]);
  return takeRows(x.reshape([x.size]), 0, positions).reshape(index.shape);
}
