import { fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { diagonalOf } from "../ops/diagonal.js";

/**
 * A diagonal of two axes (0 and 1 by default), as a view: it becomes the last axis. `offset` counts upwards from the main one.
 *
 * @throws `shape-mismatch` for fewer than two axes, `axis-out-of-range` for axes that are equal or do not exist.
 *
 * Source: PyTorch's and NumPy's `diagonal`.
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from "@gradus/tensor";
 * console.log(diagonal(tensor([[1, 2, 3], [4, 5, 6]]), 1)); // → Tensor f32[2] [2, 6]
 * ```
 */
export function diagonal(x: Tensor, offset = 0, axis0 = 0, axis1 = 1): Tensor {
  if (x.ndim < 2) fail("shape-mismatch", `diagonal: expected at least 2 axes, got ${formatShape(x.shape)}`);
  const [a, b] = [axis0, axis1].map((axis) => normalizeAxis("diagonal", axis, x.ndim)) as [number, number];
  if (a === b) fail("axis-out-of-range", `diagonal: expected two different axes, got ${a} twice`);
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== a && axis !== b);
  return diagonalOf(x.permute([...others, a, b]), offset);
}
