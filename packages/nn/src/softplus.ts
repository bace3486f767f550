import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * The smooth rectifier `log(1 + exp(x))` as a layer, elementwise; it does not overflow.
 *
 * Source: PyTorch's `nn.Softplus`.
 *
 * @example
 * ```ts
 * import { softplus } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = softplus().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [0.3133, 0.6931, 2.1269]
 * ```
 */
export function softplus(): Layer<Empty, Empty> {
  return stateless("softplus()", (x) => x.softplus());
}
