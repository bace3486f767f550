import {
  type Aval,
  axisIndex,
  axisSize,
  calculus as c,
  type DType,
  type Expr,
  inputAt,
  isFloat,
  type MaxPoolOptions,
  type Op,
  type PerAxis,
  param,
  type Selection,
  sizeOf,
  stage,
  type Tensor,
} from "@gradus/core";
import { apply, applyOne } from "../apply.js";
import { staysInside, tapOf } from "./taps.js";
import { type Windows, windowsOf } from "./windows.js";

/**
 * `[rows, ...sizes]` to each window's greatest element, the first of equal ones or a NaN, and its row-major position in
 * `sizes`.
 */
const maxPoolOp: Op<Windows> = {
  name: "maxPool",

  infer([x], { out }) {
    const { shape, dtype } = x as Aval;
    const pooled = [shape[0] as number, ...out];
    return [
      { shape: pooled, dtype },
      { shape: pooled, dtype: "i32" },
    ];
  },

  lower([x], windows) {
    const { sizes, kernel, stride, dilation, padding, out } = windows;
    const { dtype, shape } = x as Aval;
    const rank = sizes.length;
    const sliding = { stride, dilation, padding, spread: sizes.map(() => 1) };
    const inside = staysInside(sliding, sizes, kernel, out);
    return {
      kind: "loops",
      // The window is part of it: dividing by a number that is known is several times cheaper.
      key: `maxPool ${dtype} ${[kernel, stride, dilation, padding, inside.map(Number)].join(" ")}`,
      body: () => {
        const limit = sizes.map((_, i) => param(i, "i32"));
        const over = kernel.map((_, i) => 1 + rank + i);
        const slid = out.map((_, i) => 1 + i);
        const { at, guard } = tapOf(slid, over, sliding, inside);
        const least = isFloat(dtype) ? -Infinity : dtype === "i32" ? -2147483648 : 0;
        const value = inputAt(0, dtype, [axisIndex(0), ...at], guard, least);
        // From the number of the tap within the window to its position in the row.
        let rest: Expr = stage(0, "i32");
        const chosen = [...kernel].reverse().map((size) => {
          const tap = c.imod(rest, size);
          rest = c.idiv(rest, size);
          return tap;
        });
        const place = chosen.reverse().map((tap, i) => {
          const start = c.mul(axisIndex(1 + i), stride[i] as number);
          const position = c.sub(c.add(start, c.mul(tap, dilation[i] as number)), padding[i] as number);
          // Among nothing but -Infinity the padding comes first: it is not a position.
          return c.maximum(0, c.minimum(position, c.sub(limit[i] as Expr, 1)));
        });
        const flat = place.reduce((outer, position, i) => c.add(c.mul(outer, limit[i] as Expr), position));
        return {
          name: "maxPool",
          params: new Array<DType>(rank).fill("i32"),
          grid: 1 + rank,
          stages: [{ over, op: "argmax", value, dtype: "i32" }],
          writes: [
            { over: [], value: inputAt(0, dtype, [axisIndex(0), ...place]) },
            { over: [], value: flat },
          ],
        };
      },
      sizes: [shape[0] as number, ...out, ...kernel],
      params: sizes,
    };
  },

  vjp: ({ cotangents: [dy], outputs: [, indices], attrs }) => [
    applyOne(spreadOp, [dy as Tensor, indices as Tensor], attrs),
  ],
};

/** The transpose of choosing: each window's number at the position that it chose, and the sum where several chose one. */
const spreadOp: Op<Windows> = {
  name: "maxPool gradient",

  infer: ([dy], { sizes }) => [
    { shape: [(dy as Aval).shape[0] as number, ...sizes], dtype: (dy as Aval).dtype },
  ],

  lower([dy], { sizes, kernel, stride, dilation, padding, out }) {
    const { dtype, shape } = dy as Aval;
    const rank = sizes.length;
    // Windows that do not overlap: an element is in one at most, and nothing is to be summed.
    const single = kernel.every((k, i) => (dilation[i] as number) * (k - 1) < (stride[i] as number));
    return {
      kind: "loops",
      key: `maxPool gradient ${dtype} ${single} ${[stride, dilation, padding].join(" ")}`,
      body: () => {
        const own = sizes.map((_, i) => axisIndex(1 + i));
        const flat = own.reduce((outer, position, i) => c.add(c.mul(outer, axisSize(1 + i)), position));
        const over = single ? [] : kernel.map((_, i) => 1 + rank + i);
        let guard: Expr | undefined;
        const at = own.map((position, i) => {
          const step = stride[i] as number;
          const padded = c.add(position, padding[i] as number);
          const start = single
            ? padded
            : c.sub(padded, c.mul(axisIndex(over[i] as number), dilation[i] as number));
          const window = c.idiv(start, step);
          const exists = c.less(window, param(i, "i32"));
          const conditions = single
            ? [exists]
            : [c.greaterEqual(start, 0), c.equal(c.imod(start, step), 0), exists];
          for (const condition of conditions)
            guard = guard === undefined ? condition : c.logicalAnd(guard, condition);
          return window;
        });
        const chosen = inputAt(1, "i32", [axisIndex(0), ...at], guard, -1);
        const value = c.where(c.equal(chosen, flat), inputAt(0, dtype, [axisIndex(0), ...at], guard), 0);
        return {
          name: "maxPool gradient",
          params: new Array<DType>(rank).fill("i32"),
          grid: 1 + rank,
          stages: single ? [] : [{ over, op: "sum", value, dtype }],
          writes: [{ over: [], value: single ? value : stage(0, dtype) }],
        };
      },
      sizes: [shape[0] as number, ...sizes, ...(single ? [] : kernel)],
      params: out,
    };
  },

  vjp: ({ cotangents: [ddx], inputs: [, indices], attrs: { sizes, out } }) => {
    const rows = (ddx as Tensor).reshape([-1, sizeOf(sizes)]);
    const chosen = (indices as Tensor).reshape([-1, sizeOf(out)]);
    return [rows.gather(1, chosen).reshape((indices as Tensor).shape), undefined];
  },
};

export function maxPool(x: Tensor, kernel: PerAxis, options: MaxPoolOptions = {}): Selection {
  const windows = windowsOf("maxPool", x, kernel, options);
  const { lead, sizes, out } = windows;
  const [values, indices] = apply(maxPoolOp, [x.reshape([sizeOf(lead), ...sizes])], windows);
  const shaped = (y: Tensor | undefined): Tensor => (y as Tensor).reshape([...lead, ...out]);
  return { values: shaped(values), indices: shaped(indices) };
}
