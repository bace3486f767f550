import type { PerAxis, Tensor } from "@gradus/core";
import {
  chunk,
  col2im,
  concat,
  im2col,
  meshgrid,
  movedim,
  narrow,
  type PatchOptions,
  padWith,
  pixelShuffle,
  repeat,
  repeatInterleave,
  roll,
  rot90,
  select,
  split,
  stack,
  unbind,
  unflatten,
  windows,
} from "@gradus/tensor";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import { type OpTable, unaryWith } from "./op.js";

/** Ops that move elements or choose ranges of them. */
export const shapes: OpTable = {
  reshape: unaryWith((x, options) => x.reshape(options.numbers("shape"))),
  flatten: unaryWith((x, options) =>
    x.flatten(options.number("start_dim", 0), options.number("end_dim", -1)),
  ),
  unflatten: unaryWith((x, options) => unflatten(x, options.number("dim"), options.numbers("sizes"))),
  squeeze: unaryWith((x, options) => {
    if (!options.has("dim")) return x.squeeze();
    // PyTorch leaves an axis alone whose size is not 1.
    const axes = options.numbers("dim").filter((axis) => x.shape.at(axis) === 1);
    return axes.length === 0 ? x : x.squeeze(axes);
  }),
  unsqueeze: unaryWith((x, options) => x.unsqueeze(options.number("dim"))),
  transpose: unaryWith((x, options) => x.transpose(options.number("dim0"), options.number("dim1"))),
  permute: unaryWith((x, options) => x.permute(options.numbers("dims"))),
  movedim: unaryWith((x, options) => movedim(x, options.numbers("source"), options.numbers("destination"))),
  expand: unaryWith((x, options) => x.expand(options.numbers("size"))),
  broadcast_to: unaryWith((x, options) => x.expand(options.numbers("size"))),
  repeat: unaryWith((x, options) => repeat(x, options.numbers("repeats"))),
  tile: unaryWith((x, options) => repeat(x, options.numbers("dims"))),
  repeat_interleave: ([x, repeats], options) => {
    const counts = repeats === undefined ? options.get("repeats") : options.elementsOf(repeats);
    const axis = options.has("dim") ? options.number("dim") : undefined;
    return repeatInterleave(x as Tensor, counts as number | number[], axis);
  },
  flip: unaryWith((x, options) => x.flip(options.numbers("dims"))),
  roll: unaryWith((x, options) =>
    roll(x, options.numbers("shifts"), options.has("dims") ? options.numbers("dims") : undefined),
  ),
  rot90: unaryWith((x, options) => {
    const [from, towards] = options.has("dims") ? options.numbers("dims") : [0, 1];
    return rot90(x, options.number("k", 1), [from as number, towards as number]);
  }),
  narrow: unaryWith((x, options) =>
    narrow(x, options.number("dim"), options.number("start"), options.number("length")),
  ),
  select: unaryWith((x, options) => select(x, options.number("dim"), options.number("index"))),

  cat: (tensors, options) => concat(tensors, options.number("dim", 0)),
  stack: (tensors, options) => stack(tensors, options.number("dim", 0)),
  split: unaryWith((x, options) => {
    const sizes = options.numbers("split_size_or_sections");
    const listed = Array.isArray(options.get("split_size_or_sections"));
    return split(x, listed ? sizes : (sizes[0] as number), options.number("dim", 0));
  }),
  chunk: unaryWith((x, options) => chunk(x, options.number("chunks"), options.number("dim", 0))),
  unbind: unaryWith((x, options) => unbind(x, options.number("dim", 0))),
  meshgrid: (tensors, options) => {
    const indexing = options.string("indexing", "ij");
    if (indexing !== "ij" && indexing !== "xy") unsupported(`meshgrid with indexing ${indexing}`);
    return meshgrid(tensors, { indexing });
  },

  pad: unaryWith((x, options) => pad(x, options)),
  tensor_unfold: unaryWith((x, options) =>
    windows(x, options.number("dimension"), options.number("size"), options.number("step", 1)),
  ),
  unfold: unaryWith((x, options) => im2col(x, pair(options, "kernel_size"), patchesOf(options))),
  fold: unaryWith((x, options) =>
    col2im(x, pair(options, "output_size"), pair(options, "kernel_size"), patchesOf(options)),
  ),
  pixel_shuffle: unaryWith((x, options) => pixelShuffle(x, options.number("upscale_factor"))),
  one_hot: unaryWith((x, options) => {
    const classes = options.number("num_classes", -1);
    return x.oneHot(classes === -1 ? Math.max(...options.elementsOf(x)) + 1 : classes);
  }),
};

function pair(options: Options, name: string, byDefault?: number): PerAxis {
  if (!options.has(name) && byDefault !== undefined) return byDefault;
  const list = options.numbers(name);
  return list.length === 1 ? (list[0] as number) : list;
}

function patchesOf(options: Options): PatchOptions {
  return {
    stride: pair(options, "stride", 1),
    padding: pair(options, "padding", 0),
    dilation: pair(options, "dilation", 1),
  };
}

/** `[before, after]` of each axis: PyTorch lists them from the last axis on. */
function pad(x: Tensor, options: Options): Tensor {
  const widths = options.numbers("pad");
  const pairs = x.shape.map((_, axis) => {
    const at = 2 * (x.ndim - 1 - axis);
    return [widths[at] ?? 0, widths[at + 1] ?? 0] as const;
  });
  const mode = options.string("mode", "constant");
  const value = options.number("value", 0);
  if (mode === "constant") return x.pad(pairs, value);
  if (mode !== "reflect" && mode !== "replicate" && mode !== "circular")
    return unsupported(`pad with mode ${mode}`);
  return padWith(x, pairs, mode);
}
