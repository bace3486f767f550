import type { Layer, PerAxis } from "@gradus/core";
import { formatSize } from "./convolution.js";
import { perAxis } from "./per-axis.js";
import { checkPlanes } from "./pooling.js";
import { type Empty, stateless } from "./stateless.js";

/**
 * Means over as many windows as wanted, as a layer: `[N, C, H, W]` becomes `[N, C, ...outputSize]`, or both without N.
 * Window i of n covers the positions `floor(i size / n)` to `ceil((i + 1) size / n)`, without the last.
 *
 * @param outputSize One number, or one for each axis.
 * @throws `invalid-argument` for sizes below 1; `shape-mismatch` when applied to inputs of other axes.
 *
 * Source: PyTorch's `nn.AdaptiveAvgPool2d`.
 *
 * @example
 * ```ts
 * import { adaptiveAvgPool2d } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = adaptiveAvgPool2d(1).apply({}, {}, tensor([[[1, 3], [2, 0]]]), { train: false });
 * console.log(y.flatten()); // → Tensor f32[1] [1.5]
 * ```
 */
export function adaptiveAvgPool2d(outputSize: PerAxis): Layer<Empty, Empty> {
  const sizes = perAxis("adaptiveAvgPool2d", "outputSize", outputSize, 2, 1);
  const name = `adaptiveAvgPool2d(${formatSize(outputSize)})`;
  return stateless(name, (x) => {
    checkPlanes(name, x, 2);
    return x.adaptiveAvgPool(sizes);
  });
}
