import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`, the approximation of `x.gelu()` that GPT-2 was trained with. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.gelu` with `approximate="tanh"`.
 *
 * @example
 * ```ts
 * import { geluTanh, tensor } from "@gradus/tensor";
 * console.log(geluTanh(tensor([0, 1]))); // → Tensor f32[2] [0, 0.8412]
 * ```
 */
export function geluTanh(x: Tensor): Tensor {
  return pointwise("geluTanh", "float", [x], (v) => {
    const inner = c.mul(Math.sqrt(2 / Math.PI), c.add(v, c.mul(0.044715, c.mul(v, c.square(v)))));
    return c.mul(c.mul(0.5, v), c.add(1, c.tanh(inner)));
  });
}
