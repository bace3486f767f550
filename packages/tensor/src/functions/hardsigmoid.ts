import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `(x + 3) / 6`, cut to [0, 1]. One kernel. Integers become f32.
 *
 * Source: PyTorch's `nn.functional.hardsigmoid`.
 *
 * @example
 * ```ts
 * import { hardsigmoid, tensor } from "@gradus/tensor";
 * console.log(hardsigmoid(tensor([-4, 0, 4]))); // → Tensor f32[3] [0, 0.5, 1]
 * ```
 */
export function hardsigmoid(x: Tensor): Tensor {
  return pointwise("hardsigmoid", "float", [x], (v) =>
    c.where(c.lessEqual(v, -3), 0, c.where(c.greaterEqual(v, 3), 1, c.div(c.add(v, 3), 6))),
  );
}
