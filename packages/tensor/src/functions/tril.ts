import type { Tensor } from "@gradus/core";
import { triangle } from "../ops/triangle.js";

/**
 * The lower triangle of each matrix in the last two axes, zeros above; `diagonal` counts upwards from the main one, which is
 * included.
 *
 * Source: PyTorch's and NumPy's `tril`.
 *
 * @example
 * ```ts
 * import { ones, tril } from "@gradus/tensor";
 * console.log(tril(ones([2, 2])).toArray()); // → [ [ 1, 0 ], [ 1, 1 ] ]
 * ```
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle(x, "lower", diagonal);
}
