import type { Layer, PerAxis } from "@gradus/core";
import {
  type ConvLayerOptions,
  type ConvParams,
  type ConvParamsWithoutBias,
  convolution,
} from "./convolution.js";
import type { Empty } from "./stateless.js";

/**
 * A convolution (cross-correlation) over one axis: inputs `[N, inputs, L]` become `[N, outputs, L']`, or both
 * without N. `y[n, o, t] = bias[o] + sum over c and k of x[n, c, t stride + k dilation - padding] weight[o, c, k]`; each
 * output size is `floor((size + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1`.
 *
 * Defaults: stride 1, padding 0, dilation 1, groups 1, with a bias. Weight and bias begin uniform in
 * +-1 / sqrt(inputs / groups * window), the window being the number of the kernel's elements.
 *
 * @param kernelSize One number, or one for each axis.
 * @throws `invalid-argument` for sizes and options out of range; when applied `shape-mismatch` for inputs of other
 * channels or axes, or smaller than the kernel.
 *
 * Source: PyTorch's `nn.Conv1d`; weights have its layout, so that state dicts carry over.
 *
 * @example
 * ```ts
 * import { conv1d } from "@gradus/nn";
 * import { key, ones } from "@gradus/tensor";
 * const layer = conv1d(3, 8, 3, { padding: 1, stride: 2 });
 * const { params, state } = layer.init(key(0));
 * console.log(params.weight.shape); // → [ 8, 3, 3 ]
 * const [y] = layer.apply(params, state, ones([2, 3, 8]), { train: false });
 * console.log(y.shape); // → [ 2, 8, 4 ]
 * ```
 */
export function conv1d(
  inputs: number,
  outputs: number,
  kernelSize: PerAxis,
  options?: ConvLayerOptions & { readonly bias?: true },
): Layer<ConvParams, Empty>;
export function conv1d(
  inputs: number,
  outputs: number,
  kernelSize: PerAxis,
  options: ConvLayerOptions,
): Layer<ConvParamsWithoutBias, Empty>;
export function conv1d(
  inputs: number,
  outputs: number,
  kernelSize: PerAxis,
  options: ConvLayerOptions = {},
): Layer<ConvParams, Empty> | Layer<ConvParamsWithoutBias, Empty> {
  return convolution(1, inputs, outputs, kernelSize, options);
}
