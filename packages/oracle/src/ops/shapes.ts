import { fail, formatShape, type SliceRange, type Tensor } from "@gradus/core";
import { concat, stack } from "@gradus/tensor";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import { axisOf, fromFront, type OpTable, unaryWith } from "./op.js";
import { take } from "./take.js";

/** Ops that move elements or choose ranges of them. */
export const shapes: OpTable = {
  reshape: unaryWith((x, options) => x.reshape(options.numbers("shape"))),
  flatten: unaryWith((x, options) =>
    x.flatten(options.number("start_dim", 0), options.number("end_dim", -1)),
  ),
  unflatten: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dim");
    return x.reshape([...x.shape.slice(0, axis), ...options.numbers("sizes"), ...x.shape.slice(axis + 1)]);
  }),
  squeeze: unaryWith((x, options) => {
    if (!options.has("dim")) return x.squeeze();
    // PyTorch leaves an axis alone whose size is not 1.
    const axes = options.numbers("dim").filter((axis) => x.shape.at(axis) === 1);
    return axes.length === 0 ? x : x.squeeze(axes);
  }),
  unsqueeze: unaryWith((x, options) => x.unsqueeze(options.number("dim"))),
  transpose: unaryWith((x, options) => x.transpose(options.number("dim0"), options.number("dim1"))),
  permute: unaryWith((x, options) => x.permute(options.numbers("dims"))),
  movedim: unaryWith((x, options) => {
    const from = options.numbers("source").map((axis) => fromFront(axis, x.ndim));
    const to = options.numbers("destination").map((axis) => fromFront(axis, x.ndim));
    const rest = x.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
    return x.permute(
      x.shape.map((_, axis) => (to.includes(axis) ? from[to.indexOf(axis)] : rest.shift()) as number),
    );
  }),
  expand: unaryWith((x, options) => x.expand(options.numbers("size"))),
  broadcast_to: unaryWith((x, options) => x.expand(options.numbers("size"))),
  repeat: unaryWith((x, options) => repeat(x, options.numbers("repeats"))),
  tile: unaryWith((x, options) => repeat(x, options.numbers("dims"))),
  repeat_interleave: unaryWith((x, options) => {
    const flat = options.has("dim") ? x : x.flatten();
    const axis = axisOf(flat, options, "dim", 0);
    const count = options.number("repeats");
    const wide = flat.unsqueeze(axis + 1);
    return wide.expand(wide.shape.map((n, k) => (k === axis + 1 ? count : n))).flatten(axis, axis + 1);
  }),
  flip: unaryWith((x, options) => x.flip(options.numbers("dims"))),
  roll: unaryWith((x, options) => {
    const shifts = options.numbers("shifts");
    if (!options.has("dims")) return roll(x.flatten(), shifts[0] as number, 0).reshape(x.shape);
    return options
      .numbers("dims")
      .reduce((y, axis, k) => roll(y, shifts[k] as number, fromFront(axis, x.ndim)), x);
  }),
  narrow: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dim");
    const start = options.number("start");
    return part(x, axis, start, start + options.number("length"));
  }),
  select: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dim");
    return select(x, axis, options.number("index"));
  }),

  cat: (tensors, options) => concat(tensors, options.number("dim", 0)),
  stack: (tensors, options) => stack(tensors, options.number("dim", 0)),
  split: unaryWith((x, options) => {
    const sizes = options.numbers("split_size_or_sections");
    const axis = axisOf(x, options, "dim", 0);
    return Array.isArray(options.get("split_size_or_sections"))
      ? sections(x, axis, sizes)
      : pieces(x, axis, sizes[0] as number);
  }),
  chunk: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dim", 0);
    return pieces(x, axis, Math.ceil((x.shape[axis] as number) / options.number("chunks")));
  }),
  unbind: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dim", 0);
    return range(x.shape[axis] as number).map((i) => select(x, axis, i));
  }),
  meshgrid: (tensors, options) => {
    const indexing = options.string("indexing", "ij");
    if (indexing !== "ij" && indexing !== "xy") unsupported(`meshgrid with indexing ${indexing}`);
    const grids = tensors.map((x, axis) =>
      x.reshape(tensors.map((_, k) => (k === axis ? x.size : 1))).expand(tensors.map((y) => y.size)),
    );
    return indexing === "xy" && grids.length > 1 ? grids.map((grid) => grid.transpose(0, 1)) : grids;
  },

  pad: unaryWith((x, options) => pad(x, options)),
  tensor_unfold: unaryWith((x, options) => {
    const axis = axisOf(x, options, "dimension");
    const [size, step] = [options.number("size"), options.number("step")];
    const windows = Math.floor(((x.shape[axis] as number) - size) / step) + 1;
    const at = range(windows).flatMap((w) => range(size).map((k) => w * step + k));
    const taken = take(x, axis, at);
    const split = taken.reshape([...x.shape.slice(0, axis), windows, size, ...x.shape.slice(axis + 1)]);
    const order = split.shape.map((_, k) => k).filter((k) => k !== axis + 1);
    return split.permute([...order, axis + 1]);
  }),
  pixel_shuffle: unaryWith((x, options) => {
    const r = options.number("upscale_factor");
    const [channels, height, width] = x.shape.slice(-3) as [number, number, number];
    const batch = x.shape.slice(0, -3);
    const n = batch.length;
    return x
      .reshape([...batch, channels / r ** 2, r, r, height, width])
      .permute([...range(n), n, n + 3, n + 1, n + 4, n + 2])
      .reshape([...batch, channels / r ** 2, height * r, width * r]);
  }),
  one_hot: unaryWith((x, options) => {
    const classes = options.number("num_classes", -1);
    return x.oneHot(classes === -1 ? x.max().item() + 1 : classes);
  }),
};

/** The numbers 0 to n - 1. */
function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** The elements from `start` up to `stop` along an axis. */
function part(x: Tensor, axis: number, start: number, stop: number): Tensor {
  return x.slice(...x.shape.map((_, k): SliceRange => (k === axis ? [start, stop] : null)));
}

/** The index-th element along an axis, without the axis. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const n = x.shape[axis];
  if (n === undefined) return fail("axis-out-of-range", `select: axis ${axis} of ${formatShape(x.shape)}`);
  const at = index < 0 ? index + n : index;
  return take(x, axis, [at]).squeeze(axis);
}

function sections(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return part(x, axis, start - size, start);
  });
}

function pieces(x: Tensor, axis: number, size: number): Tensor[] {
  const n = x.shape[axis] as number;
  const count = Math.max(1, Math.ceil(n / size));
  return range(count).map((k) => part(x, axis, k * size, Math.min(n, (k + 1) * size)));
}

function roll(x: Tensor, shift: number, axis: number): Tensor {
  const n = x.shape[axis] as number;
  if (n === 0) return x;
  const cut = (((n - shift) % n) + n) % n;
  return concat([part(x, axis, cut, n), part(x, axis, 0, cut)], axis);
}

function repeat(x: Tensor, counts: readonly number[]): Tensor {
  const rank = Math.max(x.ndim, counts.length);
  const sizes = [...new Array<number>(rank - x.ndim).fill(1), ...x.shape];
  const times = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  const pairs = x.reshape(sizes.flatMap((n) => [1, n]));
  return pairs
    .expand(sizes.flatMap((n, axis) => [times[axis] as number, n]))
    .reshape(sizes.map((n, axis) => n * (times[axis] as number)));
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
  const position = positions[mode];
  if (position === undefined) return unsupported(`pad with mode ${mode}`);
  return pairs.reduce((y, [before, after], axis) => {
    const n = y.shape[axis] as number;
    const at = range(Math.max(0, before + n + after)).map((i) => position(i - before, n));
    return before === 0 && after === 0 ? y : take(y, axis, at);
  }, x);
}

/** Which of n elements stands at a position outside of them. */
const positions: Readonly<Record<string, (i: number, n: number) => number>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => (i < 0 ? i + n : i >= n ? i - n : i),
};
