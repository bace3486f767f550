import { fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { range } from "./split.js";

/**
 * The element at `index` of an axis, without the axis: a view. Negative indices count from the end.
 *
 * @throws `axis-out-of-range`, `index-out-of-range`.
 *
 * Source: PyTorch's `select`.
 *
 * @example
 * ```ts
 * import { select, tensor } from "@gradus/tensor";
 * console.log(select(tensor([[1, 2], [3, 4]]), 1, -1)); // → Tensor f32[2] [2, 4]
 * ```
 */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const at = normalizeAxis("select", axis, x.ndim);
  const size = x.shape[at] as number;
  if (!Number.isInteger(index) || index < -size || index >= size) {
    fail(
      "index-out-of-range",
      `select: index ${index} is outside of axis ${at} of ${formatShape(x.shape)}, which has size ${size}`,
    );
  }
  const from = index < 0 ? index + size : index;
  return range(x, at, from, from + 1).squeeze(at);
}
