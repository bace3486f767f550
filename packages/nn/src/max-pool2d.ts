import type { Layer, MaxPoolOptions, PerAxis } from "@gradus/core";
import { pooling } from "./pooling.js";
import type { Empty } from "./stateless.js";

/**
 * The greatest element of each window, as a layer: `[N, C, H, W]`, or without N, each channel for itself. An output size is
 * `floor((size + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1`, rounded up with `ceilMode`.
 *
 * Defaults: stride kernelSize, padding 0, ceilMode false, dilation 1. The padding is never chosen.
 *
 * @param kernelSize One number, or one for each axis.
 * @throws `invalid-argument` for sizes and options out of range; when applied `shape-mismatch` for inputs of other axes
 * or smaller than the window.
 *
 * Source: PyTorch's `nn.MaxPool2d`.
 *
 * @example
 * ```ts
 * import { maxPool2d } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = maxPool2d(2).apply({}, {}, tensor([[[1, 3], [2, 0]]]), { train: false });
 * console.log(y.flatten()); // → Tensor f32[1] [3]
 * ```
 */
export function maxPool2d(kernelSize: PerAxis, options: MaxPoolOptions = {}): Layer<Empty, Empty> {
  return pooling("maxPool2d", 2, kernelSize, options, (x, kernel) => x.maxPool(kernel, options).values);
}
