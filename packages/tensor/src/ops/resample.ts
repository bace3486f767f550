import {
  fail,
  formatShape,
  type InterpolateOptions,
  type InterpolateSize,
  isFloat,
  type PerAxis,
  type Tensor,
} from "@gradus/core";
import { perAxis } from "./windows.js";

/* Operations that make each element along an axis of a few weighted ones of the input: another number of samples. */

/** An element of the input and its weight. */
type Tap = readonly [position: number, weight: number];

export function adaptiveAvgPool(x: Tensor, size: PerAxis): Tensor {
  const sizes = spatial("adaptiveAvgPool", x, size);
  return sizes.reduce((y, count, i) => {
    const axis = x.ndim - sizes.length + i;
    const length = x.shape[axis] as number;
    return resample(y, axis, count, (t) => {
      const start = Math.floor((t * length) / count);
      const end = Math.ceil(((t + 1) * length) / count);
      return Array.from({ length: end - start }, (_, k) => [start + k, 1 / (end - start)] as const);
    });
  }, x);
}

const MODES = ["nearest", "nearest-exact", "linear", "cubic", "area"] as const;

export function interpolate(x: Tensor, size: InterpolateSize, options: InterpolateOptions = {}): Tensor {
  const { mode = "nearest", alignCorners = false } = options;
  if (!MODES.includes(mode)) {
    const names = MODES.map((name) => `"${name}"`).join(", ");
    fail("invalid-argument", `interpolate: mode must be one of ${names}, got ${String(mode)}`);
  }
  const scales = typeof size === "number" || !("scale" in size) ? undefined : scalesOf(x, size.scale);
  const wanted = scales === undefined ? (size as PerAxis) : scaledSizes(x, scales);
  if (mode === "area") return adaptiveAvgPool(x, wanted);
  const sizes = spatial("interpolate", x, wanted);
  return sizes.reduce((y, count, i) => {
    const axis = x.ndim - sizes.length + i;
    const length = x.shape[axis] as number;
    const step = scales === undefined ? length / count : 1 / (scales[i] as number);
    const within = (position: number): number => Math.min(Math.max(position, 0), length - 1);
    return resample(y, axis, count, (t) => {
      if (mode === "nearest") return [[within(Math.floor(t * step)), 1]];
      if (mode === "nearest-exact") return [[within(Math.floor((t + 0.5) * step)), 1]];
      const at = alignCorners ? t * (count > 1 ? (length - 1) / (count - 1) : 0) : (t + 0.5) * step - 0.5;
      if (mode === "cubic") {
        const first = Math.floor(at) - 1;
        return cubicWeights(at - Math.floor(at)).map((weight, k): Tap => [within(first + k), weight]);
      }
      const below = within(Math.floor(at));
      const weight = Math.max(0, at) - below;
      return [
        [below, 1 - weight],
        [within(below + 1), weight],
      ];
    });
  }, x);
}

function scalesOf(x: Tensor, scale: PerAxis): readonly number[] {
  const scales = typeof scale === "number" ? new Array<number>(Math.max(0, x.ndim - 2)).fill(scale) : scale;
  if (scales.every((factor) => factor > 0 && Number.isFinite(factor))) return scales;
  return fail("invalid-argument", `interpolate: the scale must be finite and positive, got ${String(scale)}`);
}

function scaledSizes(x: Tensor, scales: readonly number[]): number[] {
  const first = x.ndim - scales.length;
  return scales.map((factor, i) => {
    const length = x.shape[first + i] ?? 0;
    const size = Math.floor(length * factor);
    if (size < 1 && length > 0)
      fail("invalid-argument", `interpolate: the scale ${factor} leaves nothing of an axis of ${length}`);
    return Math.max(1, size);
  });
}

/** What four neighbours weigh at a distance `t` behind the second: cubic convolution (Keys, 1981) with a = -0.75. */
function cubicWeights(t: number): number[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

function spatial(op: string, x: Tensor, size: PerAxis): number[] {
  if (!isFloat(x.dtype))
    fail("dtype-mismatch", `${op}: expected floats, got ${x.dtype}. Convert first: x.cast("f32")`);
  const rank = typeof size === "number" ? x.ndim - 2 : size.length;
  const sizes = rank < 1 || rank > x.ndim ? [] : perAxis(op, "the size", size, rank, 1);
  if (sizes.length === 0 || x.shape.slice(x.ndim - rank).includes(0)) {
    fail(
      "shape-mismatch",
      `${op}: the input needs a batch axis, channels and axes to sample, none of them empty, got ${formatShape(x.shape)}`,
    );
  }
  return sizes;
}

/** `y[.., t, ..]`: the sum over the taps of t of `x[.., position, ..] * weight`. */
function resample(x: Tensor, axis: number, count: number, tapsOf: (t: number) => readonly Tap[]): Tensor {
  const taps = Array.from({ length: count }, (_, t) => tapsOf(t));
  const width = Math.max(...taps.map((list) => list.length));
  const flat = taps.flatMap((list) => Array.from({ length: width }, (_, k) => list[k] ?? ([0, 0] as const)));
  const along = x.shape.map((_, k) => (k === axis ? flat.length : 1));
  const positions = x.engine.tensor(
    Int32Array.from(flat, ([position]) => position),
    { device: x.device },
  );
  const weights = x.engine.tensor(
    flat.map(([, weight]) => weight),
    { dtype: x.dtype, device: x.device },
  );
  const index = positions.reshape(along).expand(x.shape.map((n, k) => (k === axis ? flat.length : n)));
  const picked = x.gather(axis, index);
  if (width === 1 && flat.every(([, weight]) => weight === 1)) return picked;
  // A weight of 0 hides what it weighs, infinity included.
  const factors = weights.reshape(along);
  const weighted = factors.eq(0).where(0, picked.mul(factors));
  const split = [...x.shape.slice(0, axis), count, width, ...x.shape.slice(axis + 1)];
  return weighted.reshape(split).sum(axis + 1);
}
