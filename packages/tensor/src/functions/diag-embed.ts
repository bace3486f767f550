import { fail, normalizeAxis, type Tensor } from "@gradus/core";
import { diagonalMatrix } from "../ops/diagonal.js";
import { movedim } from "./movedim.js";

/**
 * Matrices of zeros, in two new axes of the result (its last by default), with the last axis of `x` as their diagonal;
 * `offset` counts upwards from the main one.
 *
 * @throws `shape-mismatch` without an axis; `axis-out-of-range`; `invalid-argument` if the axes are the same.
 *
 * Source: PyTorch's `diag_embed`.
 *
 * @example
 * ```ts
 * import { diagEmbed, tensor } from "@gradus/tensor";
 * console.log(diagEmbed(tensor([[1, 2]])).toArray()); // → [ [ [ 1, 0 ], [ 0, 2 ] ] ]
 * ```
 */
export function diagEmbed(x: Tensor, offset = 0, axis1 = -2, axis2 = -1): Tensor {
  if (x.ndim === 0) fail("shape-mismatch", "diagEmbed: expected at least one axis, got none");
  const [first, second] = [axis1, axis2].map((axis) => normalizeAxis("diagEmbed", axis, x.ndim + 1)) as [
    number,
    number,
  ];
  if (first === second)
    fail("invalid-argument", `diagEmbed: the axes must differ, got ${axis1} and ${axis2}`);
  return movedim(diagonalMatrix(x, offset), [-2, -1], [first, second]);
}
