import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x` moved towards 0 by `bound` (0.5 by default), 0 where `|x| <= bound`. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.softshrink`.
 *
 * @example
 * ```ts
 * import { softshrink, tensor } from "@gradus/tensor";
 * console.log(softshrink(tensor([-1, 0.5, 2]))); // → Tensor f32[3] [-0.5, 0, 1.5]
 * ```
 */
export function softshrink(x: Tensor, bound = 0.5): Tensor {
  return pointwise("softshrink", "float", [x, bound], (v, b) =>
    c.where(c.lessEqual(c.abs(v), b), 0, c.sub(v, c.mul(b, c.sign(v)))),
  );
}
