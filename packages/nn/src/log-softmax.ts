import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * Log-probabilities `x - log(sum(exp(x)))` along an axis, as a layer; it does not overflow.
 *
 * @param axis Default -1, the last one.
 * @throws `axis-out-of-range` when applied to an input without that axis.
 *
 * Source: PyTorch's `nn.LogSoftmax`.
 *
 * @example
 * ```ts
 * import { logSoftmax } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = logSoftmax().apply({}, {}, tensor([0, 1000]), { train: false });
 * console.log(y); // → Tensor f32[2] [-1000, 0]
 * ```
 */
export function logSoftmax(axis = -1): Layer<Empty, Empty> {
  return stateless(`logSoftmax(${axis})`, (x) => x.logSoftmax(axis));
}
