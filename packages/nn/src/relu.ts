import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * The rectifier `max(x, 0)` as a layer, elementwise; its derivative at 0 is 0.
 *
 * Source: PyTorch's `nn.ReLU`.
 *
 * @example
 * ```ts
 * import { relu } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = relu().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [0, 0, 2]
 * ```
 */
export function relu(): Layer<Empty, Empty> {
  return stateless("relu()", (x) => x.relu());
}
