import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x - tanh(x)`. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.tanhshrink`.
 *
 * @example
 * ```ts
 * import { tanhshrink, tensor } from "@gradus/tensor";
 * console.log(tanhshrink(tensor([0, 2]))); // → Tensor f32[2] [0, 1.036]
 * ```
 */
export function tanhshrink(x: Tensor): Tensor {
  return pointwise("tanhshrink", "float", [x], (v) => c.sub(v, c.tanh(v)));
}
