import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

export interface SoftplusOptions {
  /** How sharp the bend is. Default 1. */
  readonly beta?: number;
  /** Where `beta x` is above, the result is x itself. Default 20. */
  readonly threshold?: number;
}

/**
 * `log(1 + exp(beta x)) / beta`, and x itself where `beta x` is above the threshold. Without options `x.softplus()` is the
 * same without that cut, which it does not need to be stable. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.softplus`.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from "@gradus/tensor";
 * console.log(softplus(tensor([0, 30]), { beta: 2 })); // → Tensor f32[2] [0.3466, 30]
 * ```
 */
export function softplus(x: Tensor, { beta = 1, threshold = 20 }: SoftplusOptions = {}): Tensor {
  return pointwise("softplus with a threshold", "float", [x, beta, threshold], (v, b, t) => {
    const bent = c.mul(v, b);
    return c.where(c.greater(bent, t), v, c.div(c.softplus(bent), b));
  });
}
