import { calculus as c, type Operand, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x + value a / b`, broadcast, in one kernel; value is 1 by default. Integers become f32.
 *
 * Source: PyTorch's `addcdiv`.
 *
 * @example
 * ```ts
 * import { addcdiv, tensor } from "@gradus/tensor";
 * console.log(addcdiv(tensor([1, 1]), tensor([2, 3]), 2)); // → Tensor f32[2] [2, 2.5]
 * ```
 */
export function addcdiv(x: Tensor, a: Operand, b: Operand, value: Operand = 1): Tensor {
  return pointwise("addcdiv", "float", [x, a, b, value], (v, p, q, scale) =>
    c.add(v, c.mul(scale, c.div(p, q))),
  );
}
