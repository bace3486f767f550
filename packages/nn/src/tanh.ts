import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * The hyperbolic tangent as a layer, elementwise.
 *
 * Source: PyTorch's `nn.Tanh`.
 *
 * @example
 * ```ts
 * import { tanh } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = tanh().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [-0.7616, 0, 0.964]
 * ```
 */
export function tanh(): Layer<Empty, Empty> {
  return stateless("tanh()", (x) => x.tanh());
}
