import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * Probabilities `exp(x) / sum(exp(x))` along an axis, as a layer. To train a classifier leave it away:
 * `crossEntropy` takes logits.
 *
 * @param axis Default -1, the last one.
 * @throws `axis-out-of-range` when applied to an input without that axis.
 *
 * Source: PyTorch's `nn.Softmax`.
 *
 * @example
 * ```ts
 * import { softmax } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = softmax().apply({}, {}, tensor([0, Math.log(3)]), { train: false });
 * console.log(y); // → Tensor f32[2] [0.25, 0.75]
 * ```
 */
export function softmax(axis = -1): Layer<Empty, Empty> {
  return stateless(`softmax(${axis})`, (x) => x.softmax(axis));
}
