import {
  type Aval,
  axisIndex,
  calculus as c,
  type DType,
  type Expr,
  fail,
  formatShape,
  inputAt,
  isFloat,
  type Op,
  type PerAxis,
  param,
  type Selection,
  sizeOf,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { perAxis } from "../ops/windows.js";

interface Attrs {
  readonly sizes: readonly number[];
  readonly out: readonly number[];
}

/** `[rows, ...sizes]` to the row-major position in `sizes` of the greatest element of each part: the first, or a NaN. */
const greatestOp: Op<Attrs> = {
  name: "adaptiveMaxPool",
  infer: ([x], { out }) => [{ shape: [(x as Aval).shape[0] as number, ...out], dtype: "i32" }],
  lower([x], { sizes, out }) {
    const { dtype, shape } = x as Aval;
    const rank = sizes.length;
    // As many taps as the widest part has: it starts within an element, and ends within one.
    const taps = sizes.map((size, i) => Math.ceil(size / (out[i] as number)) + 1);
    return {
      kind: "loops",
      key: `adaptiveMaxPool ${dtype} ${rank}`,
      body: () => {
        const [length, count, width] = [0, 1, 2].map((k) => sizes.map((_, i) => param(3 * i + k, "i32"))) as [
          Expr[],
          Expr[],
          Expr[],
        ];
        const part = (i: number): Expr => axisIndex(1 + i);
        const start = (i: number, t: Expr): Expr => c.idiv(c.mul(t, length[i] as Expr), count[i] as Expr);
        const over = sizes.map((_, i) => 1 + rank + i);
        const at = over.map((axis, i) => c.add(start(i, part(i)), axisIndex(axis)));
        const guard = at
          .map((position, i) => {
            // ceil((t + 1) length / count)
            const reach = c.add(c.mul(c.add(part(i), 1), length[i] as Expr), c.sub(count[i] as Expr, 1));
            return c.less(position, c.idiv(reach, count[i] as Expr));
          })
          .reduce(c.logicalAnd);
        const least = isFloat(dtype) ? -Infinity : dtype === "i32" ? -2147483648 : 0;
        let rest: Expr = stage(0, "i32");
        const chosen = [...over.keys()].reverse().map((i) => {
          const tap = c.imod(rest, width[i] as Expr);
          rest = c.idiv(rest, width[i] as Expr);
          return c.add(start(i, part(i)), tap);
        });
        const flat = chosen
          .reverse()
          .reduce((outer, position, i) => c.add(c.mul(outer, length[i] as Expr), position));
        const value = inputAt(0, dtype, [axisIndex(0), ...at], guard, least);
        return {
          name: "adaptiveMaxPool",
          params: new Array<DType>(3 * rank).fill("i32"),
          grid: 1 + rank,
          stages: [{ over, op: "argmax", value, dtype: "i32" }],
          writes: [{ over: [], value: flat }],
        };
      },
      sizes: [shape[0] as number, ...out, ...taps],
      params: sizes.flatMap((size, i) => [size, out[i] as number, taps[i] as number]),
    };
  },
};

/**
 * The greatest element of each of as many parts as wanted, as even as they can be; indices as `maxPool` gives them. Over as
 * many axes as `size` names, or all but the first two.
 *
 * @throws `shape-mismatch` for inputs without such axes, or with empty ones.
 *
 * Source: PyTorch's `nn.functional.adaptive_max_pool1d` and `2d` with `return_indices`.
 *
 * @example
 * ```ts
 * import { adaptiveMaxPool, tensor } from "@gradus/tensor";
 * const { values, indices } = adaptiveMaxPool(tensor([[1, 5, 2, 4, 3]]), [2]);
 * console.log(values.toArray(), indices.toArray()); // → [ [ 5, 4 ] ] [ [ 1, 3 ] ]
 * ```
 */
export function adaptiveMaxPool(x: Tensor, size: PerAxis): Selection {
  const rank = typeof size === "number" ? x.ndim - 2 : size.length;
  if (rank < 1 || rank > x.ndim || x.shape.slice(x.ndim - rank).includes(0)) {
    fail(
      "shape-mismatch",
      `adaptiveMaxPool: the input needs a batch axis, channels and axes to pool, none of them empty, got ${formatShape(x.shape)}`,
    );
  }
  const out = perAxis("adaptiveMaxPool", "the size", size, rank, 1);
  const [lead, sizes] = [x.shape.slice(0, x.ndim - rank), x.shape.slice(x.ndim - rank)];
  const rows = x.reshape([sizeOf(lead), ...sizes]);
  const indices = applyOne(greatestOp, [rows], { sizes, out }).reshape([sizeOf(lead), sizeOf(out)]);
  const values = x.reshape([sizeOf(lead), sizeOf(sizes)]).gather(1, indices);
  return { values: values.reshape([...lead, ...out]), indices: indices.reshape([...lead, ...out]) };
}
