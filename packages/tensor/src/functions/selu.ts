import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

const ALPHA = 1.6732632423543772;
const SCALE = 1.0507009873554805;

/**
 * `scale x` where positive, `scale alpha (exp(x) - 1)` elsewhere, with the constants that keep activations normalised. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.selu`; Klambauer et al., "Self-Normalizing Neural Networks", 2017, for `scale` and `alpha`.
 *
 * @example
 * ```ts
 * import { selu, tensor } from "@gradus/tensor";
 * console.log(selu(tensor([0, 1]))); // → Tensor f32[2] [0, 1.0507]
 * ```
 */
export function selu(x: Tensor): Tensor {
  return pointwise("selu", "float", [x], (v) => {
    const positive = c.greater(v, 0);
    return c.where(positive, c.mul(SCALE, v), c.mul(SCALE * ALPHA, c.expm1(c.where(positive, 0, v))));
  });
}
