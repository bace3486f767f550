import { fail, formatShape, type Tensor } from "@gradus/core";
import { diagonalOf } from "../ops/diagonal.js";

/**
 * The sum of the diagonal of each matrix in the last two axes.
 *
 * @throws `shape-mismatch` for fewer than two axes.
 *
 * Source: PyTorch's and NumPy's `trace`.
 *
 * @example
 * ```ts
 * import { tensor, trace } from "@gradus/tensor";
 * console.log(trace(tensor([[1, 2], [3, 4]])).item()); // → 5
 * ```
 */
export function trace(x: Tensor): Tensor {
  if (x.ndim < 2) fail("shape-mismatch", `trace: expected at least 2 axes, got ${formatShape(x.shape)}`);
  return diagonalOf(x, 0).sum(-1);
}
