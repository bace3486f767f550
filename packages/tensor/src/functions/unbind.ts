import { normalizeAxis, type Tensor } from "@gradus/core";
import { select } from "./select.js";

/**
 * The elements of an axis (0 by default), each without the axis, as views.
 *
 * Source: PyTorch's `unbind`.
 *
 * @example
 * ```ts
 * import { tensor, unbind } from "@gradus/tensor";
 * console.log(unbind(tensor([[1, 2], [3, 4]])).map((row) => row.toArray())); // → [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function unbind(x: Tensor, axis = 0): Tensor[] {
  const at = normalizeAxis("unbind", axis, x.ndim);
  return Array.from({ length: x.shape[at] as number }, (_, i) => select(x, at, i));
}
