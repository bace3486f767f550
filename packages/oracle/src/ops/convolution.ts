import type { InterpolateOptions, PerAxis, Tensor } from "@gradus/core";
import { adaptiveMaxPool } from "@gradus/tensor";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import { type Op, type OpTable, unaryWith } from "./op.js";

/** Convolutions, pooling and resampling. */
export const convolution: OpTable = {
  conv1d: conv(1),
  conv2d: conv(2),
  conv3d: conv(3),
  conv_transpose1d: convTranspose(1),
  conv_transpose2d: convTranspose(2),
  conv_transpose3d: convTranspose(3),
  max_pool1d: maxPool(1),
  max_pool2d: maxPool(2),
  max_pool3d: maxPool(3),
  avg_pool1d: avgPool(1),
  avg_pool2d: avgPool(2),
  avg_pool3d: avgPool(3),
  adaptive_avg_pool1d: unaryWith((x, options) => x.adaptiveAvgPool(axes(options, "output_size", 1))),
  adaptive_avg_pool2d: unaryWith((x, options) => x.adaptiveAvgPool(axes(options, "output_size", 2))),
  adaptive_max_pool1d: adaptiveMax(1),
  adaptive_max_pool2d: adaptiveMax(2),
  interpolate: unaryWith((x, options) => {
    const mode = options.string("mode", "nearest");
    const own = interpolations[mode];
    if (own === undefined) return unsupported(`interpolate with mode ${mode}`);
    const size = options.has("size")
      ? axes(options, "size", x.ndim - 2)
      : { scale: axes(options, "scale_factor", x.ndim - 2) };
    return x.interpolate(size, {
      mode: own,
      alignCorners: options.boolean("align_corners", false),
    });
  }),
};

/** PyTorch's modes, which say how many axes they are for, as ours. */
const interpolations: Readonly<Record<string, InterpolateOptions["mode"] & string>> = {
  nearest: "nearest",
  "nearest-exact": "nearest-exact",
  linear: "linear",
  bilinear: "linear",
  trilinear: "linear",
  bicubic: "cubic",
  area: "area",
};

function conv(rank: number): Op {
  return ([x, weight], options, { bias }) => {
    const padding = options.get("padding");
    const same = padding === "same" || padding === "valid";
    return (x as Tensor).conv(weight as Tensor, {
      ...(bias && { bias }),
      stride: axes(options, "stride", rank, 1),
      padding: same ? padding : axes(options, "padding", rank, 0),
      dilation: axes(options, "dilation", rank, 1),
      groups: options.number("groups", 1),
    });
  };
}

function convTranspose(rank: number): Op {
  return ([x, weight], options, { bias }) =>
    (x as Tensor).convTranspose(weight as Tensor, {
      ...(bias && { bias }),
      stride: axes(options, "stride", rank, 1),
      padding: axes(options, "padding", rank, 0),
      outputPadding: axes(options, "output_padding", rank, 0),
      dilation: axes(options, "dilation", rank, 1),
      groups: options.number("groups", 1),
    });
}

function maxPool(rank: number): Op {
  return unaryWith((x, options) => {
    const size = axes(options, "kernel_size", rank);
    const { values, indices } = x.maxPool(size, {
      ...slidingOf(options, rank, size),
      dilation: axes(options, "dilation", rank, 1),
    });
    return [values, indices];
  });
}

function adaptiveMax(rank: number): Op {
  return unaryWith((x, options) => {
    const { values, indices } = adaptiveMaxPool(x, axes(options, "output_size", rank));
    return [values, indices];
  });
}

function avgPool(rank: number): Op {
  return unaryWith((x, options) => {
    const size = axes(options, "kernel_size", rank);
    return x.avgPool(size, {
      ...slidingOf(options, rank, size),
      countIncludePad: options.boolean("count_include_pad", true),
      ...(options.has("divisor_override") && { divisorOverride: options.number("divisor_override") }),
    });
  });
}

function slidingOf(
  options: Options,
  rank: number,
  size: readonly number[],
): { readonly stride: PerAxis; readonly padding: PerAxis; readonly ceilMode: boolean } {
  return {
    stride: options.has("stride") ? axes(options, "stride", rank) : size,
    padding: axes(options, "padding", rank, 0),
    ceilMode: options.boolean("ceil_mode", false),
  };
}

/** An option that is one number for all axes, or one for each. */
function axes(options: Options, name: string, rank: number, byDefault?: number): number[] {
  if (!options.has(name) && byDefault !== undefined) return new Array<number>(rank).fill(byDefault);
  const list = options.numbers(name);
  return list.length === 1 ? new Array<number>(rank).fill(list[0] as number) : list;
}
