import {
  type Aval,
  axisIndex,
  calculus as c,
  inputAt,
  type Layout,
  type Op,
  param,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

interface SlideAttrs {
  readonly axis: number;
  /** Elements of a window. */
  readonly size: number;
  /** From one window to the next. */
  readonly step: number;
  /** From one element of a window to the next. */
  readonly dilation: number;
  /** The size of the axis that windows slide over. */
  readonly length: number;
}

/** The windows of an axis, as a view: which window stays in the axis' place, which element of it is a new last axis. */
const slideOp: Op<SlideAttrs> = {
  name: "windows",
  infer: ([x], attrs) => [{ shape: slidShape((x as Aval).shape, attrs), dtype: (x as Aval).dtype }],
  lower([x], attrs) {
    const { dtype, shape, strides, offset } = x as Layout;
    const own = strides[attrs.axis] as number;
    return {
      kind: "view",
      layout: {
        dtype,
        shape: slidShape(shape, attrs),
        strides: [
          ...strides.map((s, axis) => (axis === attrs.axis ? s * attrs.step : s)),
          own * attrs.dilation,
        ],
        offset,
      },
    };
  },
  vjp: ({ cotangents: [dy], attrs }) => [applyOne(overlapOp, [dy as Tensor], attrs)],
};

/** The transpose: each element of the axis is the sum of those that windows show of it. */
const overlapOp: Op<SlideAttrs> = {
  name: "overlap",
  infer: ([y], { axis, length }) => {
    const { shape, dtype } = y as Aval;
    return [{ shape: shape.slice(0, -1).map((n, k) => (k === axis ? length : n)), dtype }];
  },
  lower([y], { axis, size, step, dilation }, [out]) {
    const { shape, dtype } = out as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `overlap ${dtype} ${rank} ${axis}`,
      body: () => {
        const [jump, apart, count] = [0, 1, 2].map((k) => param(k, "i32")) as [
          ReturnType<typeof param>,
          ReturnType<typeof param>,
          ReturnType<typeof param>,
        ];
        const tap = axisIndex(rank);
        const start = c.sub(axisIndex(axis), c.mul(tap, apart));
        const window = c.idiv(start, jump);
        const inside = c.logicalAnd(
          c.logicalAnd(c.greaterEqual(start, 0), c.equal(c.imod(start, jump), 0)),
          c.less(window, count),
        );
        const at = shape.map((_, k) => (k === axis ? window : axisIndex(k)));
        return {
          name: "overlap",
          params: ["i32", "i32", "i32"],
          grid: rank,
          stages: [{ over: [rank], op: "sum", value: inputAt(0, dtype, [...at, tap], inside), dtype }],
          writes: [{ over: [], value: stage(0, dtype) }],
        };
      },
      sizes: [...shape, size],
      params: [step, dilation, (y as Aval).shape[axis] as number],
    };
  },
  vjp: ({ cotangents: [dy], attrs }) => [applyOne(slideOp, [dy as Tensor], attrs)],
};

function slidShape(shape: readonly number[], { axis, size, step, dilation, length }: SlideAttrs): number[] {
  const count = Math.floor((length - dilation * (size - 1) - 1) / step) + 1;
  return [...shape.map((n, k) => (k === axis ? count : n)), size];
}

/** The windows of an axis that fit it whole. */
export function slide(x: Tensor, axis: number, size: number, step: number, dilation = 1): Tensor {
  const length = x.shape[axis] as number;
  return applyOne(slideOp, [x], { axis, size, step, dilation, length });
}

/** From windows, as {@link slide} gives them, the axis of `length` elements that they sum to. */
export function overlap(y: Tensor, axis: number, length: number, step: number, dilation = 1): Tensor {
  return applyOne(overlapOp, [y], { axis, size: y.shape.at(-1) as number, step, dilation, length });
}
