import {
  type Aval,
  type Axes,
  axisIndex,
  axisSize,
  broadcastStrides,
  calculus as c,
  checkShape,
  constant,
  contiguousStrides,
  type Expr,
  fail,
  formatShape,
  inputAt,
  isContiguous,
  type Layout,
  type Lowered,
  normalizeAxes,
  normalizeAxis,
  type Op,
  type Shape,
  sameShape,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { sumTo } from "./sum-to.js";

/* Operations that only look at the elements in another way: no kernel runs where strides can say it. */

const reshapeOp: Op<{ shape: Shape }> = {
  name: "reshape",
  infer: ([x], { shape }) => [{ shape, dtype: (x as Aval).dtype }],
  lower([x], { shape }) {
    const source = x as Layout;
    const strides = reshapedStrides(source, shape);
    if (strides !== undefined) return { kind: "view", layout: { ...source, shape, strides } };
    return denseCopy(source);
  },
  vjp: ({ cotangents: [dy], inputs: [x] }) => [(dy as Tensor).reshape((x as Tensor).shape)],
};

/** A kernel that writes the elements of `source` in order, whatever the output's shape. */
function denseCopy({ shape, dtype }: Aval): Lowered {
  return {
    kind: "loops",
    key: `reshape ${dtype} ${shape.length}`,
    body: () => ({
      name: "reshape",
      params: [],
      grid: shape.length,
      stages: [],
      writes: [
        {
          over: [],
          value: inputAt(
            0,
            dtype,
            shape.map((_, axis) => axisIndex(axis)),
          ),
          flat: rowMajor(shape.length),
        },
      ],
    }),
    sizes: shape,
    params: [],
  };
}

/** The row-major position of the grid point. */
export function rowMajor(rank: number): Expr {
  let position: Expr = rank === 0 ? constant(0, "i32") : axisIndex(0);
  for (let axis = 1; axis < rank; axis++) position = c.add(c.mul(position, axisSize(axis)), axisIndex(axis));
  return position;
}

/** Strides with which `source` reads as `shape`, or undefined if no strides do. */
function reshapedStrides(source: Layout, shape: Shape): number[] | undefined {
  if (isContiguous(source)) return contiguousStrides(shape);
  // Each run of source axes that walks in one stride may be cut in any way; runs may not be joined.
  const strides = new Array<number>(shape.length).fill(0);
  let to = 0;
  let from = 0;
  const sizes = source.shape;
  while (from < sizes.length) {
    if (sizes[from] === 1) {
      from++;
      continue;
    }
    let run = sizes[from] as number;
    let last = from;
    while (
      last + 1 < sizes.length &&
      source.strides[last] === (source.strides[last + 1] as number) * (sizes[last + 1] as number)
    ) {
      last++;
      run *= sizes[last] as number;
    }
    let filled = 1;
    const first = to;
    while (to < shape.length && filled < run) filled *= shape[to++] as number;
    if (filled !== run) return undefined;
    let stride = source.strides[last] as number;
    for (let axis = to - 1; axis >= first; axis--) {
      strides[axis] = stride;
      stride *= shape[axis] as number;
    }
    from = last + 1;
  }
  return strides;
}

/** The same elements, row-major, in another shape; one size may be -1 and is found from the others. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (!Array.isArray(shape)) checkShape("reshape", shape);
  const wanted = inferSize(x, shape);
  if (sameShape(wanted, x.shape)) return x;
  return applyOne(reshapeOp, [x], { shape: wanted });
}

function inferSize(x: Tensor, shape: Shape): number[] {
  const unknown = shape.filter((n) => n === -1).length;
  if (unknown > 1) fail("invalid-argument", `reshape: only one size may be -1, got ${formatShape(shape)}`);
  const known = sizeOf(shape.filter((n) => n !== -1));
  const wanted = unknown === 0 ? [...shape] : shape.map((n) => (n === -1 ? x.size / known : n));
  const fits = unknown === 0 ? known === x.size : known > 0 && x.size % known === 0;
  if (!fits) {
    checkShape(
      "reshape",
      shape.filter((n) => n !== -1),
    );
    fail(
      "shape-mismatch",
      `reshape: ${x.size} elements of ${formatShape(x.shape)} do not fill ${formatShape(shape)}`,
    );
  }
  checkShape("reshape", wanted);
  return wanted;
}

export function squeeze(x: Tensor, axes?: Axes): Tensor {
  if (axes === undefined)
    return reshape(
      x,
      x.shape.filter((n) => n !== 1),
    );
  const dropped = normalizeAxes("squeeze", axes, x.ndim);
  for (const axis of dropped) {
    if (x.shape[axis] !== 1) {
      fail(
        "shape-mismatch",
        `squeeze: axis ${axis} of ${formatShape(x.shape)} has size ${x.shape[axis]}, not 1`,
      );
    }
  }
  return reshape(
    x,
    x.shape.filter((_, axis) => !dropped.includes(axis)),
  );
}

export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("unsqueeze", axis, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  if (x.ndim === 0) return reshape(x, [1]);
  const from = normalizeAxis("flatten", start, x.ndim);
  const to = normalizeAxis("flatten", end, x.ndim);
  if (from > to) fail("axis-out-of-range", `flatten: start ${start} is behind end ${end}`);
  return reshape(x, [
    ...x.shape.slice(0, from),
    sizeOf(x.shape.slice(from, to + 1)),
    ...x.shape.slice(to + 1),
  ]);
}

const permuteOp: Op<{ axes: readonly number[] }> = {
  name: "permute",
  infer: ([x], { axes }) => [
    { shape: axes.map((axis) => (x as Aval).shape[axis] as number), dtype: (x as Aval).dtype },
  ],
  lower([x], { axes }) {
    const { shape, strides, ...rest } = x as Layout;
    const pick = (list: readonly number[]): number[] => axes.map((axis) => list[axis] as number);
    return { kind: "view", layout: { ...rest, shape: pick(shape), strides: pick(strides) } };
  },
  vjp: ({ cotangents: [dy], attrs: { axes } }) => [
    (dy as Tensor).permute(axes.map((_, axis) => axes.indexOf(axis))),
  ],
};

/** The axes in another order: `axes[k]` is which of the old ones becomes axis k. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  if (!Array.isArray(axes)) fail("invalid-argument", "permute: expected a list of axes such as [1, 0]");
  if (axes.length !== x.ndim) {
    fail(
      "axis-out-of-range",
      `permute: expected all ${x.ndim} axes of ${formatShape(x.shape)}, got [${axes.join(", ")}]`,
    );
  }
  normalizeAxes("permute", axes, x.ndim);
  const order = axes.map((axis) => normalizeAxis("permute", axis, x.ndim));
  if (order.every((axis, k) => axis === k)) return x;
  return applyOne(permuteOp, [x], { axes: order });
}

export function transpose(x: Tensor, axis0 = -2, axis1 = -1): Tensor {
  if (x.ndim < 2 && axis0 === -2 && axis1 === -1) return x;
  const a = normalizeAxis("transpose", axis0, x.ndim);
  const b = normalizeAxis("transpose", axis1, x.ndim);
  return permute(
    x,
    x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis)),
  );
}

const expandOp: Op<{ shape: Shape }> = {
  name: "expand",
  infer: ([x], { shape }) => [{ shape, dtype: (x as Aval).dtype }],
  lower: ([x], { shape }) => ({
    kind: "view",
    layout: { ...(x as Layout), shape, strides: broadcastStrides(x as Layout, shape) },
  }),
  vjp: ({ cotangents: [dy], inputs: [x] }) => [sumTo(dy as Tensor, (x as Tensor).shape)],
};

/** Repeats axes of size 1, and adds leading ones, up to `shape`; -1 keeps an axis as it is. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (!Array.isArray(shape)) checkShape("expand", shape);
  const extra = shape.length - x.ndim;
  const wanted = shape.map((n, axis) => (n === -1 && axis >= extra ? (x.shape[axis - extra] as number) : n));
  checkShape("expand", wanted);
  const fits = extra >= 0 && x.shape.every((n, axis) => n === 1 || n === wanted[axis + extra]);
  if (!fits) {
    fail(
      "shape-mismatch",
      `expand: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}: only axes of size 1 are repeated`,
    );
  }
  if (sameShape(wanted, x.shape)) return x;
  return applyOne(expandOp, [x], { shape: wanted });
}
