import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `x (x + 3) / 6` between -3 and 3, 0 below and `x` above. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.hardswish`.
 *
 * @example
 * ```ts
 * import { hardswish, tensor } from "@gradus/tensor";
 * console.log(hardswish(tensor([-4, 3, 4]))); // → Tensor f32[3] [0, 3, 4]
 * ```
 */
export function hardswish(x: Tensor): Tensor {
  return pointwise("hardswish", "float", [x], (v) =>
    c.where(c.less(v, -3), 0, c.where(c.lessEqual(v, 3), c.div(c.mul(v, c.add(v, 3)), 6), v)),
  );
}
