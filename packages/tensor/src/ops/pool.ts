import {
  type Aval,
  type AvgPoolOptions,
  axisIndex,
  axisSize,
  calculus as c,
  type DType,
  type Expr,
  fail,
  formatShape,
  inputAt,
  isFloat,
  type MaxPoolOptions,
  type Op,
  type PerAxis,
  param,
  type Selection,
  type Shape,
  sizeOf,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { convolve } from "./convolve.js";
import { perAxis, windowCount } from "./windows.js";

interface Windows {
  /** The axes before those that the windows slide over. */
  readonly lead: Shape;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly out: readonly number[];
}

/** `[rows, ...sizes]` to the row-major position in `sizes` of each window's greatest element: the first, or a NaN. */
const greatestOp: Op<Windows> = {
  name: "maxPool",

  infer: ([x], { out }) => [{ shape: [(x as Aval).shape[0] as number, ...out], dtype: "i32" }],

  lower([x], { sizes, kernel, stride, dilation, padding, out }) {
    const { dtype, shape } = x as Aval;
    const rank = sizes.length;
    return {
      kind: "loops",
      key: `maxPool ${dtype} ${[stride, dilation, padding].join(" ")}`,
      body: () => {
        const limit = sizes.map((_, i) => param(i, "i32"));
        const positionOf = (tap: Expr, i: number): Expr => {
          const start = c.mul(axisIndex(1 + i), stride[i] as number);
          return c.sub(c.add(start, c.mul(tap, dilation[i] as number)), padding[i] as number);
        };
        const over = kernel.map((_, i) => 1 + rank + i);
        const at = over.map((axis, i) => positionOf(axisIndex(axis), i));
        const guard = at
          .map((position, i) => c.logicalAnd(c.greaterEqual(position, 0), c.less(position, limit[i] as Expr)))
          .reduce(c.logicalAnd);
        const least = isFloat(dtype) ? -Infinity : dtype === "i32" ? -2147483648 : 0;
        const value = inputAt(0, dtype, [axisIndex(0), ...at], guard, least);
        // From the number of the tap within the window to its position in the row.
        let rest: Expr = stage(0, "i32");
        const chosen = [...over].reverse().map((axis) => {
          const tap = c.imod(rest, axisSize(axis));
          rest = c.idiv(rest, axisSize(axis));
          return tap;
        });
        const flat = chosen
          .reverse()
          .map(positionOf)
          // Among nothing but -Infinity the padding comes first: it is not a position.
          .map((position, i) => c.maximum(0, c.minimum(position, c.sub(limit[i] as Expr, 1))))
          .reduce((outer, position, i) => c.add(c.mul(outer, limit[i] as Expr), position));
        return {
          name: "maxPool",
          params: new Array<DType>(rank).fill("i32"),
          grid: 1 + rank,
          stages: [{ over, op: "argmax", value, dtype: "i32" }],
          writes: [{ over: [], value: flat }],
        };
      },
      sizes: [shape[0] as number, ...out, ...kernel],
      params: sizes,
    };
  },
};

export function maxPool(x: Tensor, kernel: PerAxis, options: MaxPoolOptions = {}): Selection {
  const windows = windowsOf("maxPool", x, kernel, options);
  const { lead, sizes, out } = windows;
  const rows = sizeOf(lead);
  const indices = applyOne(greatestOp, [x.reshape([rows, ...sizes])], windows);
  const values = x.reshape([rows, sizeOf(sizes)]).gather(1, indices.reshape([rows, sizeOf(out)]));
  return { values: values.reshape([...lead, ...out]), indices: indices.reshape([...lead, ...out]) };
}

export function avgPool(x: Tensor, size: PerAxis, options: AvgPoolOptions = {}): Tensor {
  if (!isFloat(x.dtype))
    fail("dtype-mismatch", `avgPool: expected floats, got ${x.dtype}. Convert first: x.cast("f32")`);
  const { lead, sizes, kernel, stride, dilation, padding, out } = windowsOf("avgPool", x, size, options);
  const ones = (shape: Shape): Tensor =>
    x.engine.full([1, 1, 1, ...shape], 1, { dtype: x.dtype, device: x.device });
  const spread = sizes.map(() => 1);
  const sumsOf = (source: Tensor, before: readonly number[]): Tensor =>
    convolve(source, ones(kernel), { stride, dilation, spread, padding: before, out });
  const sums = sumsOf(x.reshape([1, sizeOf(lead), 1, ...sizes]), padding).reshape([...lead, ...out]);
  const { countIncludePad = true, ceilMode = false } = options;
  if (!ceilMode && (countIncludePad || padding.every((pad) => pad === 0))) return sums.div(sizeOf(kernel));
  // What counts in each window is a sum of ones.
  const counts = countIncludePad
    ? sumsOf(
        ones(sizes.map((n, i) => n + 2 * (padding[i] as number))),
        padding.map(() => 0),
      )
    : sumsOf(ones(sizes), padding);
  return sums.div(counts.reshape(out));
}

function windowsOf(op: string, x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions): Windows {
  const rank = typeof kernelSize === "number" ? x.ndim - 2 : kernelSize.length;
  if (rank < 1 || rank > x.ndim) {
    fail(
      "shape-mismatch",
      `${op}: the input needs a batch axis, channels and axes for the window, got ${formatShape(x.shape)}. Or name the window's sizes: [2, 2]`,
    );
  }
  const kernel = perAxis(op, "the window", kernelSize, rank, 1);
  const stride = perAxis(op, "stride", options.stride ?? kernel, rank, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, rank, 1);
  const padding = perAxis(op, "padding", options.padding ?? 0, rank, 0);
  const wide = padding.findIndex((pad, i) => pad > (kernel[i] as number) / 2);
  if (wide >= 0) {
    fail(
      "invalid-argument",
      `${op}: padding ${padding[wide]} must be at most half of the window ${kernel[wide]}: a window must hold an element`,
    );
  }
  const sizes = x.shape.slice(x.ndim - rank);
  const out = sizes.map((size, i) => {
    const pad = padding[i] as number;
    const sliding = {
      size,
      kernel: kernel[i] as number,
      stride: stride[i] as number,
      dilation: dilation[i] as number,
      padding: [pad, pad] as const,
    };
    return windowCount(op, x.shape, sliding, options.ceilMode);
  });
  return { lead: x.shape.slice(0, x.ndim - rank), sizes, kernel, stride, dilation, padding, out };
}
