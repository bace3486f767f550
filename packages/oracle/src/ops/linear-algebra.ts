import { fail, formatShape, type Tensor } from "@gradus/core";
import { arange, einsum } from "@gradus/tensor";
import { binary, type Op, type OpTable, unary, unaryWith } from "./op.js";

export const linearAlgebra: OpTable = {
  matmul: binary((a, b) => a.matmul(b)),
  mm: binary((a, b) => a.matmul(b)),
  mv: binary((a, b) => a.matmul(b)),
  dot: binary((a, b) => a.matmul(b)),
  bmm: binary((a, b) => a.matmul(b)),
  outer: binary((a, b) => a.unsqueeze(1).mul(b)),
  einsum: (operands, options) => einsum(options.string("equation", ""), ...operands),
  addmm: addProduct(),
  baddbmm: addProduct(),
  linear: ([x, weight, bias]) => {
    const y = (x as Tensor).matmul((weight as Tensor).transpose());
    return bias === undefined ? y : y.add(bias);
  },
  trace: unary((x) => diagonalOf(x, 0).sum()),
  diag: unaryWith((x, options) => {
    const offset = options.number("diagonal", 0);
    if (x.ndim === 2) return diagonalOf(x, offset);
    const size = x.size + Math.abs(offset);
    const row = x.pad([[Math.max(0, offset), Math.max(0, -offset)]]);
    return onDiagonal(size, size, (distance) => distance.eq(offset)).where(row, 0);
  }),
  diagonal: unaryWith((x, options) => {
    const [first, second] = [options.number("dim1", 0), options.number("dim2", 1)].map((axis) =>
      axis < 0 ? axis + x.ndim : axis,
    ) as [number, number];
    const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
    return diagonalOf(x.permute([...others, first, second]), options.number("offset", 0));
  }),
  tril: unaryWith((x, options) => triangle(x, (distance) => distance.le(options.number("diagonal", 0)))),
  triu: unaryWith((x, options) => triangle(x, (distance) => distance.ge(options.number("diagonal", 0)))),
  scaled_dot_product_attention: ([query, key, value], options) => {
    const [q, k, v] = [query as Tensor, key as Tensor, value as Tensor];
    const scores = q.matmul(k.transpose()).div(Math.sqrt(q.shape.at(-1) as number));
    if (!options.boolean("causal", false)) return scores.softmax(-1).matmul(v);
    return triangle(scores, (distance) => distance.le(0), -Infinity)
      .softmax(-1)
      .matmul(v);
  },
};

/** `beta x + alpha a b`. */
function addProduct(): Op {
  return ([x, a, b], options) =>
    (x as Tensor)
      .mul(options.number("beta", 1))
      .add((a as Tensor).matmul(b as Tensor).mul(options.number("alpha", 1)));
}

/** Where the condition on column minus row holds: the diagonal is 0, the one above it 1. */
function onDiagonal(rows: number, columns: number, holds: (distance: Tensor) => Tensor): Tensor {
  return holds(arange(columns).sub(arange(rows).unsqueeze(1)));
}

function triangle(x: Tensor, holds: (distance: Tensor) => Tensor, value = 0): Tensor {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return onDiagonal(rows, columns, holds).where(x, value);
}

/** A diagonal of the last two axes: every (columns + 1)-th element. */
function diagonalOf(x: Tensor, offset: number): Tensor {
  if (x.ndim < 2) fail("shape-mismatch", `diagonal: expected at least 2 axes, got ${formatShape(x.shape)}`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const length = Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
  const start = offset >= 0 ? offset : -offset * columns;
  const flat = x.reshape([...x.shape.slice(0, -2), rows * columns]);
  const along = [start, start + (length - 1) * (columns + 1) + 1, columns + 1] as const;
  return flat.slice(...flat.shape.slice(0, -1).map(() => null), length === 0 ? [0, 0] : along);
}
