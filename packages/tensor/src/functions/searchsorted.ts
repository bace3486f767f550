import {
  type Aval,
  axisIndex,
  calculus as c,
  cast,
  type Expr,
  fail,
  formatShape,
  inputAt,
  type Op,
  promote,
  sameShape,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

/** How many elements of a sorted row come before a value: those below it, or (`right`) not above it. NaN comes last. */
const searchOp: Op<{ readonly right: boolean; readonly shared: boolean }> = {
  name: "searchsorted",
  infer: ([, values]) => [{ shape: (values as Aval).shape, dtype: "i32" }],
  lower([sorted, values], { right, shared }) {
    const { dtype, shape } = values as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `searchsorted ${dtype} ${rank} ${right} ${shared}`,
      body: () => {
        const own = shape.map((_, axis) => axisIndex(axis));
        const element = inputAt(0, dtype, [...(shared ? [] : own.slice(0, -1)), axisIndex(rank)]);
        const value = inputAt(1, dtype, own);
        const behind: Expr = right ? c.greater(element, value) : c.greaterEqual(element, value);
        return {
          name: "searchsorted",
          params: [],
          grid: rank,
          stages: [{ over: [rank], op: "sum", value: cast(c.logicalNot(behind), "i32"), dtype: "i32" }],
          writes: [{ over: [], value: stage(0, "i32") }],
        };
      },
      sizes: [...shape, (sorted as Aval).shape.at(-1) as number],
      params: [],
    };
  },
};

/**
 * Where values belong in sorted rows so that these stay sorted: before equal ones or, with `right`, behind them; i32. A
 * vector of sorted values serves values of any shape, else all axes but the last are equal.
 *
 * @throws `shape-mismatch` if they are not.
 *
 * Source: PyTorch's and NumPy's `searchsorted`; `bucketize` is the same with the arguments swapped.
 *
 * @example
 * ```ts
 * import { searchsorted, tensor } from "@gradus/tensor";
 * console.log(searchsorted(tensor([1, 3, 5]), tensor([3, 6]))); // → Tensor i32[2] [1, 3]
 * console.log(searchsorted(tensor([1, 3, 5]), tensor([3]), { right: true })); // → Tensor i32[1] [2]
 * ```
 */
export function searchsorted(
  sorted: Tensor,
  values: Tensor,
  options: { readonly right?: boolean } = {},
): Tensor {
  const shared = sorted.ndim === 1;
  if (sorted.ndim === 0 || (!shared && !sameShape(sorted.shape.slice(0, -1), values.shape.slice(0, -1)))) {
    fail(
      "shape-mismatch",
      `searchsorted: the sorted values ${formatShape(sorted.shape)} must be a vector, or equal ${formatShape(values.shape)} in all axes but the last`,
    );
  }
  const dtype = promote(sorted.dtype, values.dtype);
  const attrs = { right: options.right ?? false, shared };
  return applyOne(searchOp, [sorted.cast(dtype), values.cast(dtype)], attrs);
}
