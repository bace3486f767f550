import {
  type Aval,
  axisIndex,
  broadcastShapes,
  fail,
  formatShape,
  inputAt,
  isFloat,
  type Op,
  promote,
  type Shape,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { asGradusTensor } from "../gradus-tensor.js";

/** The product of matrices in the last two axes; the axes before them are equal. */
const batchedMatmul: Op<undefined> = {
  name: "matmul",

  infer([a, b]) {
    const [x, y] = [a as Aval, b as Aval];
    return [{ shape: [...x.shape.slice(0, -1), y.shape.at(-1) as number], dtype: x.dtype }];
  },

  lower([a, b], _, [out]) {
    const { dtype, shape } = out as Aval;
    const batch = shape.length - 2;
    const [k, n] = (b as Aval).shape.slice(-2) as [number, number];
    return {
      kind: "contract",
      key: `matmul ${dtype} ${batch}`,
      body: () => {
        const batchAxes = Array.from({ length: batch }, (_, axis) => axisIndex(axis));
        const [row, column, inner] = [axisIndex(batch), axisIndex(batch + 1), axisIndex(batch + 2)];
        return {
          name: "matmul",
          params: [],
          groups: { batch, m: 1, n: 1, k: 1 },
          a: inputAt(0, dtype, [...batchAxes, row, inner]),
          b: inputAt(1, dtype, [...batchAxes, inner, column]),
          accumulate: dtype,
          writes: [{ value: stage(0, dtype) }],
        };
      },
      sizes: [...(a as Aval).shape.slice(0, -1), n, k],
      params: [],
    };
  },

  vjp({ cotangents: [dy], inputs: [a, b], needs }) {
    const [x, y, cotangent] = [a as Tensor, b as Tensor, dy as Tensor];
    return [
      needs[0] === true ? cotangent.matmul(y.transpose()) : undefined,
      needs[1] === true ? x.transpose().matmul(cotangent) : undefined,
    ];
  },
};

function failInner(a: Shape, b: Shape, k: number, k2: number): never {
  const m = a.at(-2);
  const mend =
    b.at(-1) === k ? " Transpose the second operand?" : m === k2 ? " Transpose the first operand?" : "";
  fail(
    "shape-mismatch",
    `matmul: inner sizes differ: ${formatShape(a)} x ${formatShape(b)} (${k} and ${k2}).${mend}`,
  );
}

/**
 * The matrix product, with NumPy's rules: matrices in the last two axes, the others broadcast; a vector on the left is a
 * row, on the right a column, and its axis is dropped from the result.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  asGradusTensor("matmul", b);
  if (a.ndim === 0 || b.ndim === 0) {
    fail(
      "shape-mismatch",
      `matmul: operands need at least one axis, got ${formatShape(a.shape)} and ${formatShape(b.shape)}. Use mul() for numbers`,
    );
  }
  const joined = promote(a.dtype, b.dtype);
  const dtype = isFloat(joined) ? joined : "i32";
  const [x, y] = [a.cast(dtype), b.cast(dtype)];
  const k = x.shape.at(-1) as number;
  const k2 = y.ndim === 1 ? (y.shape[0] as number) : (y.shape.at(-2) as number);
  if (k !== k2) failInner(x.shape, y.shape, k, k2);
  const left = x.ndim === 1 ? x.unsqueeze(0) : x;
  const right = y.ndim === 1 ? y.unsqueeze(1) : y;
  const batch = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
  let product: Tensor = applyOne(
    batchedMatmul,
    [left.expand([...batch, ...left.shape.slice(-2)]), right.expand([...batch, ...right.shape.slice(-2)])],
    undefined,
  );
  if (x.ndim === 1) product = product.squeeze(-2);
  if (y.ndim === 1) product = product.squeeze(-1);
  return product;
}
