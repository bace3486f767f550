import { type ConvOptions, fail, formatShape, type Layer, type PerAxis, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { heUniform } from "./initializers/he-uniform.js";
import type { Initializer } from "./initializers/initializer.js";
import { perAxis } from "./per-axis.js";
import { type Empty, empty } from "./stateless.js";

export interface ConvParams {
  /** `[outputs, inputs / groups, ...kernelSize]`, PyTorch's layout. */
  readonly weight: Tensor;
  /** `[outputs]`. */
  readonly bias: Tensor;
}

/** The parameters of a convolution that may be without bias. */
export type ConvParamsWithoutBias = Pick<ConvParams, "weight"> & Partial<ConvParams>;

export interface ConvLayerOptions extends Omit<ConvOptions, "bias"> {
  /** Whether a bias is added to each output channel. Default true. */
  readonly bias?: boolean;
  /** How the weight begins. Default, as in PyTorch: uniform in +-1 / sqrt(inputs / groups * window), like the bias. */
  readonly init?: Initializer;
}

/** What `conv1d`, `conv2d` and `conv3d` are: a convolution over the last `rank` axes. */
export function convolution(
  rank: 1 | 2 | 3,
  inputs: number,
  outputs: number,
  kernelSize: PerAxis,
  options: ConvLayerOptions,
): Layer<ConvParams, Empty> {
  const own = `conv${rank}d`;
  const { bias: withBias = true, init = pytorchUniform, padding = 0, groups = 1 } = options;
  checkSize(own, "inputs", inputs);
  checkSize(own, "outputs", outputs);
  checkSize(own, "groups", groups);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    fail(
      "invalid-argument",
      `${own}: groups must divide the ${inputs} inputs and the ${outputs} outputs, got ${groups}`,
    );
  }
  const kernel = perAxis(own, "kernelSize", kernelSize, rank, 1);
  const stride = perAxis(own, "stride", options.stride ?? 1, rank, 1);
  const dilation = perAxis(own, "dilation", options.dilation ?? 1, rank, 1);
  if (padding !== "same" && padding !== "valid") perAxis(own, "padding", padding, rank, 0);
  if (padding === "same" && stride.some((n) => n !== 1)) {
    fail(
      "invalid-argument",
      `${own}: padding "same" needs a stride of 1, got ${stride}. Give the padding as a number`,
    );
  }
  const name = `${own}(${inputs}, ${outputs}, ${formatSize(kernelSize)})`;
  const axes = ["L", "H, W", "D, H, W"][rank - 1];
  const layer: Layer<ConvParamsWithoutBias, Empty> = {
    name,
    init(key) {
      const shape = [outputs, inputs / groups, ...kernel];
      const weight = init(key.foldIn(0), shape);
      if (!withBias) return { params: { weight }, state: empty };
      const bound = 1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b));
      const bias = key.foldIn(1).uniform([outputs], { low: -bound, high: bound });
      return { params: { weight, bias }, state: empty };
    },
    apply({ weight, bias }, state, x, { tap }) {
      if ((x.ndim !== rank + 1 && x.ndim !== rank + 2) || x.shape.at(-rank - 1) !== inputs) {
        fail(
          "shape-mismatch",
          `${name}: expected inputs [N, ${inputs}, ${axes}] or [${inputs}, ${axes}], got ${formatShape(x.shape)}`,
        );
      }
      const given = { stride, padding, dilation, groups };
      const y = x.conv(weight, bias === undefined ? given : { ...given, bias });
      // With several groups a patch belongs to a part of the weight only.
      if (tap === undefined || groups !== 1) return [y, state];
      const use = {
        weight,
        bias,
        layout: "out-in",
        output: y,
        inputRows: () => rowsOf(x.conv(patchKernel(x, weight), given), rank),
        outputRows: (of: Tensor) => rowsOf(of, rank),
      } as const;
      return [tap(use), state];
    },
  };
  // Without a bias the types of conv1d, conv2d and conv3d say so.
  return layer as Layer<ConvParams, Empty>;
}

/** Of `[N, channels, ...]` or `[channels, ...]`: `[rows, channels]`, a row for each position of each example. */
function rowsOf(y: Tensor, rank: number): Tensor {
  const channels = y.ndim - rank - 1;
  const others = Array.from({ length: y.ndim }, (_, axis) => axis).filter((axis) => axis !== channels);
  return y.permute([...others, channels]).reshape([-1, y.shape[channels] as number]);
}

/** A kernel whose outputs are the elements of the patch: `[in * window, in, ...window]`, an identity matrix. */
function patchKernel(x: Tensor, weight: Tensor): Tensor {
  const window = weight.shape.slice(1);
  const size = window.reduce((product, n) => product * n, 1);
  const index = x.engine.arange(0, size, 1, { dtype: "i32", device: x.device });
  return index
    .oneHot(size)
    .cast(x.dtype)
    .reshape([size, ...window]);
}

/** A size as a call would give it: `3`, or `[3, 5]`. */
export function formatSize(size: PerAxis): string {
  return typeof size === "number" ? String(size) : formatShape(size);
}

const pytorchUniform: Initializer = (key, shape) => heUniform(key, shape, { slope: Math.sqrt(5) });
