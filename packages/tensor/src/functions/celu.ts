import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x` where positive, `alpha (exp(x / alpha) - 1)` elsewhere; alpha is 1 by default. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.celu`.
 *
 * @example
 * ```ts
 * import { celu, tensor } from "@gradus/tensor";
 * console.log(celu(tensor([-Infinity, 2]), 0.5)); // → Tensor f32[2] [-0.5, 2]
 * ```
 */
export function celu(x: Tensor, alpha = 1): Tensor {
  return pointwise("celu", "float", [x, alpha], (v, a) => {
    const positive = c.greater(v, 0);
    // What is not chosen must not overflow: its gradient would be 0 times infinity.
    return c.where(positive, v, c.mul(a, c.expm1(c.div(c.where(positive, 0, v), a))));
  });
}
