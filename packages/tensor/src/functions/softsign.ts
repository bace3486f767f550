import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x / (1 + |x|)`. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.softsign`.
 *
 * @example
 * ```ts
 * import { softsign, tensor } from "@gradus/tensor";
 * console.log(softsign(tensor([-1, 0, 3]))); // → Tensor f32[3] [-0.5, 0, 0.75]
 * ```
 */
export function softsign(x: Tensor): Tensor {
  return pointwise("softsign", "float", [x], (v) => c.div(v, c.add(1, c.abs(v))));
}
