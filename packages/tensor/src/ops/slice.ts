import {
  type Aval,
  type Axes,
  axisIndex,
  calculus as c,
  constant,
  type DType,
  type Expr,
  fail,
  formatShape,
  inputAt,
  type Layout,
  normalizeAxes,
  type Op,
  param,
  type Shape,
  type SliceRange,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

/** Where each axis starts and how it steps in the tensor that is cut (or filled). */
interface Cut {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}

const sliceOp: Op<Cut & { readonly shape: Shape }> = {
  name: "slice",
  infer: ([x], { shape }) => [{ shape, dtype: (x as Aval).dtype }],
  lower([x], { shape, starts, steps }) {
    const source = x as Layout;
    const strides = source.strides.map((s, axis) => s * (steps[axis] as number));
    const moved = starts.reduce(
      (sum, start, axis) => sum + start * (source.strides[axis] as number),
      source.offset,
    );
    // An empty slice reads nothing; its start may lie behind the end.
    const offset = sizeOf(shape) === 0 ? 0 : moved;
    return { kind: "view", layout: { dtype: source.dtype, shape, strides, offset } };
  },
  vjp: ({ cotangents: [dy], inputs: [x], attrs: { starts, steps } }) => [
    applyOne(placeOp, [dy as Tensor], { shape: (x as Tensor).shape, starts, steps, value: 0 }),
  ],
};

/** `x` placed into a tensor of `value`, at the positions that a slice would read: the slice's transpose, and padding. */
const placeOp: Op<Cut & { readonly shape: Shape; readonly value: number }> = {
  name: "place",
  infer: ([x], { shape }) => [{ shape, dtype: (x as Aval).dtype }],
  lower([x], { shape, starts, steps, value }) {
    const { dtype, shape: source } = x as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `place ${dtype} ${rank}`,
      body: () => ({
        name: "place",
        params: [dtype, ...new Array<DType>(3 * rank).fill("i32")],
        grid: rank,
        stages: [],
        writes: [{ over: [], value: placedValue(rank, dtype) }],
      }),
      sizes: shape,
      // Per axis: start, step, and size of what is placed.
      params: [
        value,
        ...starts.flatMap((start, axis) => [start, steps[axis] as number, source[axis] as number]),
      ],
    };
  },
  vjp({ cotangents: [dy], inputs: [x], attrs: { shape, starts, steps } }) {
    const { shape: source } = x as Tensor;
    const inside = starts.every(
      (start, axis) => start >= 0 && start + (source[axis] as number) <= (shape[axis] as number),
    );
    // Only `pad` cuts, with steps of 1: what was cut has a gradient of 0.
    if (!inside && steps.every((step) => step === 1)) {
      return [
        applyOne(placeOp, [dy as Tensor], {
          shape: source,
          starts: starts.map((start) => -start),
          steps,
          value: 0,
        }),
      ];
    }
    return [applyOne(sliceOp, [dy as Tensor], { shape: source, starts, steps })];
  },
};

function placedValue(rank: number, dtype: DType): Expr {
  let inside: Expr = constant(1, "bool");
  const at = Array.from({ length: rank }, (_, axis) => {
    const [start, step, size] = [0, 1, 2].map((k) => param(1 + 3 * axis + k, "i32")) as [Expr, Expr, Expr];
    const distance = c.sub(axisIndex(axis), start);
    const position = c.idiv(distance, step);
    inside = c.logicalAnd(inside, c.equal(c.imod(distance, step), 0));
    inside = c.logicalAnd(inside, c.logicalAnd(c.greaterEqual(position, 0), c.less(position, size)));
    return position;
  });
  return c.where(inside, inputAt(0, dtype, at, inside, 0), param(0, dtype));
}

/**
 * A range of each leading axis, as in NumPy: negative bounds count from the end, bounds beyond it are cut, a negative
 * step walks backwards.
 */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  if (ranges.length > x.ndim) {
    fail(
      "axis-out-of-range",
      `slice: ${ranges.length} ranges for the ${x.ndim} axes of ${formatShape(x.shape)}`,
    );
  }
  const cuts = x.shape.map((n, axis) => cutOf(ranges[axis] ?? null, n, axis));
  const whole = cuts.every(
    ({ start, step, length }, axis) => start === 0 && step === 1 && length === x.shape[axis],
  );
  if (whole) return x;
  return applyOne(sliceOp, [x], {
    shape: cuts.map((cut) => cut.length),
    starts: cuts.map((cut) => cut.start),
    steps: cuts.map((cut) => cut.step),
  });
}

function cutOf(range: SliceRange, n: number, axis: number): { start: number; step: number; length: number } {
  const [from, to, step = 1] = range ?? [];
  for (const bound of [from, to, step]) {
    if (bound !== undefined && !Number.isInteger(bound)) {
      fail("invalid-argument", `slice: bounds and steps must be whole numbers, got ${bound} at axis ${axis}`);
    }
  }
  if (step === 0) fail("invalid-argument", `slice: the step of axis ${axis} is 0`);
  const clip = (bound: number, low: number, high: number): number =>
    Math.min(Math.max(bound < 0 ? bound + n : bound, low), high);
  if (step > 0) {
    const start = clip(from ?? 0, 0, n);
    const stop = clip(to ?? n, 0, n);
    return { start, step, length: Math.max(0, Math.ceil((stop - start) / step)) };
  }
  const start = from === undefined ? n - 1 : clip(from, -1, n - 1);
  const stop = to === undefined ? -1 : clip(to, -1, n - 1);
  return { start, step, length: Math.max(0, Math.ceil((stop - start) / step)) };
}

export function flip(x: Tensor, axes?: Axes): Tensor {
  const reversed = normalizeAxes("flip", axes, x.ndim);
  return slice(
    x,
    x.shape.map((_, axis) => (reversed.includes(axis) ? [undefined, undefined, -1] : null)),
  );
}

/** Adds `[before, after]` elements of `value` around each axis; negative widths cut. */
export function pad(x: Tensor, widths: readonly (readonly [number, number])[], value = 0): Tensor {
  if (widths.length !== x.ndim) {
    fail(
      "invalid-argument",
      `pad: expected [before, after] for each of the ${x.ndim} axes, got ${widths.length} pairs`,
    );
  }
  for (const [before, after] of widths) {
    if (!Number.isInteger(before) || !Number.isInteger(after)) {
      fail("invalid-argument", `pad: widths must be whole numbers, got [${before}, ${after}]`);
    }
  }
  const shape = x.shape.map((n, axis) => n + (widths[axis]?.[0] ?? 0) + (widths[axis]?.[1] ?? 0));
  const negative = shape.findIndex((n) => n < 0);
  if (negative >= 0)
    fail(
      "shape-mismatch",
      `pad: axis ${negative} of ${formatShape(x.shape)} would get size ${shape[negative]}`,
    );
  const starts = widths.map(([before]) => before);
  return applyOne(placeOp, [x], {
    shape,
    starts,
    steps: widths.map(() => 1),
    value,
  });
}
