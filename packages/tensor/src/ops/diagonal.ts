import {
  type Aval,
  axisIndex,
  calculus as c,
  inputAt,
  type Layout,
  type Op,
  param,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

interface DiagonalAttrs {
  /** How far above the main diagonal. */
  readonly offset: number;
  /** The sizes of the matrix. */
  readonly rows: number;
  readonly columns: number;
}

/** A diagonal of the last two axes: a view. */
const diagonalOp: Op<DiagonalAttrs> = {
  name: "diagonal",
  infer: ([x], attrs) => {
    const { shape, dtype } = x as Aval;
    return [{ shape: [...shape.slice(0, -2), lengthOf(attrs)], dtype }];
  },
  lower([x], attrs) {
    const { dtype, shape, strides, offset } = x as Layout;
    const [down, right] = strides.slice(-2) as [number, number];
    const length = lengthOf(attrs);
    const start = attrs.offset >= 0 ? attrs.offset * right : -attrs.offset * down;
    return {
      kind: "view",
      layout: {
        dtype,
        shape: [...shape.slice(0, -2), length],
        strides: [...strides.slice(0, -2), down + right],
        // An empty diagonal reads nothing; its start may lie behind the end.
        offset: length === 0 ? 0 : offset + start,
      },
    };
  },
  vjp: ({ cotangents: [dy], attrs }) => [applyOne(placeOp, [dy as Tensor], attrs)],
};

/** A matrix of zeros with a diagonal. */
const placeOp: Op<DiagonalAttrs> = {
  name: "diagonalMatrix",
  infer: ([x], { rows, columns }) => {
    const { shape, dtype } = x as Aval;
    return [{ shape: [...shape.slice(0, -1), rows, columns], dtype }];
  },
  lower(_, { offset }, [out]) {
    const { shape, dtype } = out as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `diagonalMatrix ${dtype} ${rank}`,
      body: () => {
        const batch = Array.from({ length: rank - 2 }, (_, axis) => axisIndex(axis));
        const [row, column] = [axisIndex(rank - 2), axisIndex(rank - 1)];
        const on = c.equal(c.sub(column, row), param(0, "i32"));
        return {
          name: "diagonalMatrix",
          params: ["i32"],
          grid: rank,
          stages: [],
          writes: [{ over: [], value: inputAt(0, dtype, [...batch, c.minimum(row, column)], on) }],
        };
      },
      sizes: shape,
      params: [offset],
    };
  },
  vjp: ({ cotangents: [dy], attrs }) => [applyOne(diagonalOp, [dy as Tensor], attrs)],
};

function lengthOf({ offset, rows, columns }: DiagonalAttrs): number {
  return Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
}

/** A diagonal of the last two axes, as the last axis. */
export function diagonalOf(x: Tensor, offset: number): Tensor {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return applyOne(diagonalOp, [x], { offset, rows, columns });
}

/** Square matrices of zeros, with the last axis as their diagonal. */
export function diagonalMatrix(x: Tensor, offset: number): Tensor {
  const size = (x.shape.at(-1) as number) + Math.abs(offset);
  return applyOne(placeOp, [x], { offset, rows: size, columns: size });
}
