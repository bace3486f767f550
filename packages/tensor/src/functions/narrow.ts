import { fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { range } from "./split.js";

/**
 * `length` elements of an axis from `start` on, as a view. Unlike `slice` it does not cut what reaches beyond the end.
 *
 * @throws `axis-out-of-range`; `index-out-of-range` for elements that the axis does not have.
 *
 * Source: PyTorch's `narrow`.
 *
 * @example
 * ```ts
 * import { narrow, tensor } from "@gradus/tensor";
 * console.log(narrow(tensor([1, 2, 3, 4]), 0, 1, 2)); // → Tensor f32[2] [2, 3]
 * ```
 */
export function narrow(x: Tensor, axis: number, start: number, length: number): Tensor {
  const at = normalizeAxis("narrow", axis, x.ndim);
  const size = x.shape[at] as number;
  const from = start < 0 ? start + size : start;
  const fits = Number.isInteger(from) && Number.isInteger(length) && from >= 0 && length >= 0;
  if (!fits || from + length > size) {
    fail(
      "index-out-of-range",
      `narrow: ${length} elements from ${start} on are not within axis ${at} of ${formatShape(x.shape)}, which has size ${size}`,
    );
  }
  return range(x, at, from, from + length);
}
