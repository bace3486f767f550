import type { Tensor } from "@gradus/core";
import { triangle } from "../ops/triangle.js";

/**
 * The upper triangle of each matrix in the last two axes, zeros below; `diagonal` counts upwards from the main one, which is
 * included.
 *
 * Source: PyTorch's and NumPy's `triu`.
 *
 * @example
 * ```ts
 * import { ones, triu } from "@gradus/tensor";
 * console.log(triu(ones([2, 2]), 1).toArray()); // → [ [ 0, 1 ], [ 0, 0 ] ]
 * ```
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle(x, "upper", diagonal);
}
