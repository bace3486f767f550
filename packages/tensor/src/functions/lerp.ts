import { calculus as c, type Operand, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `start + weight (end - start)`, broadcast, and exactly `end` at a weight of 1.
 *
 * Source: PyTorch's `lerp`.
 *
 * @example
 * ```ts
 * import { lerp, tensor } from "@gradus/tensor";
 * console.log(lerp(tensor([0, 10]), tensor([4, 20]), 0.25)); // → Tensor f32[2] [1, 12.5]
 * ```
 */
export function lerp(start: Tensor, end: Operand, weight: Operand): Tensor {
  return pointwise("lerp", "float", [start, end, weight], (a, b, w) => {
    const way = c.sub(b, a);
    return c.where(c.less(c.abs(w), 0.5), c.add(a, c.mul(w, way)), c.sub(b, c.mul(way, c.sub(1, w))));
  });
}
