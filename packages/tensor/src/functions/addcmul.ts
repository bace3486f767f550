import { calculus as c, type Operand, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x + value a b`, broadcast, in one kernel; value is 1 by default.
 *
 * Source: PyTorch's `addcmul`.
 *
 * @example
 * ```ts
 * import { addcmul, tensor } from "@gradus/tensor";
 * console.log(addcmul(tensor([1, 1]), tensor([2, 3]), 10, 0.5)); // → Tensor f32[2] [11, 16]
 * ```
 */
export function addcmul(x: Tensor, a: Operand, b: Operand, value: Operand = 1): Tensor {
  return pointwise("addcmul", "number", [x, a, b, value], (v, p, q, scale) =>
    c.add(v, c.mul(scale, c.mul(p, q))),
  );
}
