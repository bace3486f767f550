import {
  type Aval,
  axisIndex,
  axisSize,
  calculus as c,
  type DType,
  type Expr,
  inputAt,
  isFloat,
  type LoopBody,
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
import { type Sliding, staysInside, tapOf } from "./taps.js";
import { type Windows, windowsOf } from "./windows.js";

/** Windows of up to so many elements are written out, which leaves nothing to loop over. */
const MAX_UNROLLED = 16;

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
    const { sizes, kernel, out } = windows;
    const { dtype, shape } = x as Aval;
    const inside = staysInside(slidingOf(windows), sizes, kernel, out);
    const isUnrolled = sizeOf(kernel) <= MAX_UNROLLED;
    const { stride, dilation, padding } = windows;
    const way = [stride, dilation, padding, inside.map(Number), isUnrolled && kernel].join(" ");
    return {
      kind: "loops",
      key: `maxPool ${dtype} ${way}`,
      body: () => (isUnrolled ? unrolled : looped)(windows, dtype, inside),
      sizes: [shape[0] as number, ...out, ...(isUnrolled ? [] : kernel)],
      params: sizes,
    };
  },

  vjp: ({ cotangents: [dy], outputs: [, indices], attrs }) => [
    applyOne(spreadOp, [dy as Tensor, indices as Tensor], attrs),
  ],
};

function slidingOf({ stride, dilation, padding, sizes }: Windows): Sliding {
  return { stride, dilation, padding, spread: sizes.map(() => 1) };
}

function bodyOf({ sizes }: Windows): Pick<LoopBody, "name" | "params" | "grid"> {
  const rank = sizes.length;
  return { name: "maxPool", params: new Array<DType>(rank).fill("i32"), grid: 1 + rank };
}

/** What is outside of the input is less than anything. */
function leastOf(dtype: DType): number {
  return isFloat(dtype) ? -Infinity : dtype === "i32" ? -2147483648 : 0;
}

/** The row-major position of coordinates. */
function flatten(at: readonly Expr[]): Expr {
  return at.reduce((outer, position, i) => c.add(c.mul(outer, param(i, "i32")), position));
}

/** The positions of a window's tap, which may be outside. */
function positionsOf({ stride, dilation, padding }: Windows, taps: readonly (Expr | number)[]): Expr[] {
  return taps.map((tap, i) => {
    const start = c.mul(axisIndex(1 + i), stride[i] as number);
    return c.sub(c.add(start, c.mul(tap, dilation[i] as number)), padding[i] as number);
  });
}

/** Among nothing but -Infinity the padding comes first, which is no position. */
function clamped(at: readonly Expr[], inside: readonly boolean[]): Expr[] {
  return at.map((position, i) =>
    inside[i] === true ? position : c.maximum(0, c.minimum(position, c.sub(param(i, "i32"), 1))),
  );
}

/** All taps of a window compared one after another: each window is computed by itself, as any other element. */
function unrolled(windows: Windows, dtype: DType, inside: readonly boolean[]): LoopBody {
  const { kernel } = windows;
  let best: Expr | undefined;
  let flat: Expr | undefined;
  for (let tap = 0; tap < sizeOf(kernel); tap++) {
    const at = positionsOf(windows, digits(tap, kernel));
    const outside = at.flatMap((position, i) =>
      inside[i] === true ? [] : [c.greaterEqual(position, 0), c.less(position, param(i, "i32"))],
    );
    const guard = outside.length === 0 ? undefined : outside.reduce(c.logicalAnd);
    const value = inputAt(0, dtype, [axisIndex(0), ...at], guard, leastOf(dtype));
    const position = flatten(clamped(at, inside));
    if (best === undefined || flat === undefined) {
      [best, flat] = [value, position];
      continue;
    }
    let better = c.greater(value, best);
    // The first NaN, after which nothing is better.
    if (isFloat(dtype))
      better = c.logicalOr(better, c.logicalAnd(isNaNOf(value), c.logicalNot(isNaNOf(best))));
    [best, flat] = [c.where(better, value, best), c.where(better, position, flat)];
  }
  return {
    ...bodyOf(windows),
    stages: [],
    writes: [
      { over: [], value: best as Expr },
      { over: [], value: flat as Expr },
    ],
  };
}

function isNaNOf(x: Expr): Expr {
  return { kind: "op", op: "isNaN", args: [x], dtype: "bool" };
}

/** The coordinates of the `flat`-th tap. */
function digits(flat: number, kernel: readonly number[]): number[] {
  const found: number[] = [];
  let rest = flat;
  for (const size of [...kernel].reverse()) {
    found.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return found;
}

/** The taps of a large window as a loop. */
function looped(windows: Windows, dtype: DType, inside: readonly boolean[]): LoopBody {
  const { kernel, sizes, out } = windows;
  const over = kernel.map((_, i) => 1 + sizes.length + i);
  const slid = out.map((_, i) => 1 + i);
  const { at, guard } = tapOf(slid, over, slidingOf(windows), inside);
  // From the number of the tap within the window to its position in the row.
  let rest: Expr = stage(0, "i32");
  const chosen = [...over].reverse().map((axis) => {
    const tap = c.imod(rest, axisSize(axis));
    rest = c.idiv(rest, axisSize(axis));
    return tap;
  });
  const place = clamped(positionsOf(windows, chosen.reverse()), inside);
  const value = inputAt(0, dtype, [axisIndex(0), ...at], guard, leastOf(dtype));
  return {
    ...bodyOf(windows),
    stages: [{ over, op: "argmax", value, dtype: "i32" }],
    writes: [
      { over: [], value: inputAt(0, dtype, [axisIndex(0), ...place]) },
      { over: [], value: flatten(place) },
    ],
  };
}

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
        let holds: Expr | undefined;
        const at = own.map((position, i) => {
          const step = stride[i] as number;
          const padded = c.add(position, padding[i] as number);
          const tap = single ? 0 : c.mul(axisIndex(over[i] as number), dilation[i] as number);
          const start = c.sub(padded, tap);
          const window = c.idiv(start, step);
          const last = c.sub(param(i, "i32"), 1);
          const conditions = [c.lessEqual(window, last)];
          if (!single) conditions.push(c.greaterEqual(start, 0), c.equal(c.imod(start, step), 0));
          for (const condition of conditions)
            holds = holds === undefined ? condition : c.logicalAnd(holds, condition);
          // A window that is not there: any other is read, and nothing made of it.
          return single ? c.minimum(window, last) : c.maximum(0, c.minimum(window, last));
        });
        const chosen = inputAt(1, "i32", [axisIndex(0), ...at]);
        const isChosen = c.logicalAnd(c.equal(chosen, flat), holds as Expr);
        const value = c.where(isChosen, inputAt(0, dtype, [axisIndex(0), ...at]), 0);
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
