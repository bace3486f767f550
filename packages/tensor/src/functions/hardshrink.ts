import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * 0 where `|x| <= bound`, `x` elsewhere; bound is 0.5 by default. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.hardshrink`.
 *
 * @example
 * ```ts
 * import { hardshrink, tensor } from "@gradus/tensor";
 * console.log(hardshrink(tensor([-1, 0.5, 0.6]))); // → Tensor f32[3] [-1, 0, 0.6]
 * ```
 */
export function hardshrink(x: Tensor, bound = 0.5): Tensor {
  return pointwise("hardshrink", "float", [x, bound], (v, b) => c.where(c.lessEqual(c.abs(v), b), 0, v));
}
