import type { Tensor } from "@gradus/core";
import { eye } from "../create.js";
import { solved } from "./solve.js";

/**
 * The inverse of each square matrix in the last two axes. To multiply by an inverse, `solve` is faster and more exact.
 *
 * @throws `shape-mismatch` for other than square matrices; `invalid-argument` for a singular one (on a device that cannot be
 * read without waiting, and inside `compile`, at the next read).
 *
 * Source: PyTorch's and NumPy's `linalg.inv`.
 *
 * @example
 * ```ts
 * import { inv, tensor } from "@gradus/tensor";
 * console.log(inv(tensor([[2, 0], [0, 4]])).toArray()); // → [ [ 0.5, 0 ], [ 0, 0.25 ] ]
 * ```
 */
export function inv(x: Tensor): Tensor {
  const size = x.shape.at(-1) ?? 0;
  return solved("inv", x, eye(size, size, { dtype: x.dtype, device: x.device }));
}
