import type { AvgPoolOptions, Layer, PerAxis } from "@gradus/core";
import { pooling } from "./pooling.js";
import type { Empty } from "./stateless.js";

/**
 * The mean of each window, as a layer: `[N, C, L]`, or without N, each channel for itself. An output size is
 * `floor((size + 2 padding - kernelSize) / stride) + 1`, rounded up with `ceilMode`.
 *
 * Defaults: stride kernelSize, padding 0, ceilMode false, countIncludePad true: zeros of the padding count.
 *
 * @param kernelSize One number, or one for each axis.
 * @throws `invalid-argument` for sizes and options out of range; when applied `shape-mismatch` for inputs of other axes
 * or smaller than the window.
 *
 * Source: PyTorch's `nn.AvgPool1d`.
 *
 * @example
 * ```ts
 * import { avgPool1d } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = avgPool1d(2).apply({}, {}, tensor([[1, 3, 2, 0]]), { train: false });
 * console.log(y.flatten()); // → Tensor f32[2] [2, 1]
 * ```
 */
export function avgPool1d(kernelSize: PerAxis, options: AvgPoolOptions = {}): Layer<Empty, Empty> {
  return pooling("avgPool1d", 1, kernelSize, options, (x, kernel) => x.avgPool(kernel, options));
}
