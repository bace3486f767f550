import { fail, type Tensor } from "@gradus/core";
import { diagonalMatrix } from "../ops/diagonal.js";

/**
 * Matrices of zeros, in two new last axes, with the last axis as their diagonal; `offset` counts upwards from the main one.
 *
 * Source: PyTorch's `diag_embed`.
 *
 * @example
 * ```ts
 * import { diagEmbed, tensor } from "@gradus/tensor";
 * console.log(diagEmbed(tensor([[1, 2]])).toArray()); // → [ [ [ 1, 0 ], [ 0, 2 ] ] ]
 * ```
 */
export function diagEmbed(x: Tensor, offset = 0): Tensor {
  if (x.ndim === 0) fail("shape-mismatch", "diagEmbed: expected at least one axis, got none");
  return diagonalMatrix(x, offset);
}
