import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x` where it is above `bound`, `value` elsewhere. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.threshold`.
 *
 * @example
 * ```ts
 * import { threshold, tensor } from "@gradus/tensor";
 * console.log(threshold(tensor([1, 2, 3]), 2, -1)); // → Tensor f32[3] [-1, -1, 3]
 * ```
 */
export function threshold(x: Tensor, bound: number, value: number): Tensor {
  return pointwise("threshold", "float", [x, bound, value], (v, b, fill) =>
    c.where(c.lessEqual(v, b), fill, v),
  );
}
