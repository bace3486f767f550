import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * The logistic function `1 / (1 + exp(-x))` as a layer, elementwise.
 *
 * Source: PyTorch's `nn.Sigmoid`.
 *
 * @example
 * ```ts
 * import { sigmoid } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = sigmoid().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [0.2689, 0.5, 0.8808]
 * ```
 */
export function sigmoid(): Layer<Empty, Empty> {
  return stateless("sigmoid()", (x) => x.sigmoid());
}
