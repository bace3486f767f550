import { fail, formatShape, type Tensor } from "@gradus/core";
import { diagonalMatrix, diagonalOf } from "../ops/diagonal.js";

/**
 * The diagonal of a matrix, as a view, or the matrix of zeros with a vector as its diagonal; `offset` counts upwards from the
 * main diagonal.
 *
 * @throws `shape-mismatch` for other than one or two axes. For more: `diagonal`, `diagEmbed`.
 *
 * Source: PyTorch's and NumPy's `diag`.
 *
 * @example
 * ```ts
 * import { diag, tensor } from "@gradus/tensor";
 * console.log(diag(tensor([[1, 2], [3, 4]]))); // → Tensor f32[2] [1, 4]
 * console.log(diag(tensor([5]), 1).toArray()); // → [ [ 0, 5 ], [ 0, 0 ] ]
 * ```
 */
export function diag(x: Tensor, offset = 0): Tensor {
  if (x.ndim === 1) return diagonalMatrix(x, offset);
  if (x.ndim === 2) return diagonalOf(x, offset);
  return fail("shape-mismatch", `diag: expected a vector or a matrix, got ${formatShape(x.shape)}`);
}
