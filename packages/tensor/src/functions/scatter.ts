import {
  fail,
  formatShape,
  isTensor,
  normalizeAxis,
  promote,
  type Scattering,
  sameShape,
  type Tensor,
} from "@gradus/core";
import { checkPositions, checkWhole } from "../ops/positions.js";
import { scatterRows } from "../ops/rows.js";

/**
 * `x` with `out[index[i][j]][j] = source[i][j]` for axis 0, and so on; of several for one place the last one stays. The source
 * is a number or covers the index, whose other sizes may be smaller than x's.
 *
 * @throws `index-out-of-range`, `shape-mismatch`; `dtype-mismatch` for an index that is not of whole numbers.
 *
 * Source: PyTorch's `scatter`. Its gradient for places that are written several times is arguable; here only what stays has
 * one.
 *
 * @example
 * ```ts
 * import { scatter, tensor, zeros } from "@gradus/tensor";
 * console.log(scatter(zeros([3]), 0, tensor([2, 0], { dtype: "i32" }), tensor([5, 6]))); // → Tensor f32[3] [6, 0, 5]
 * ```
 */
export function scatter(x: Tensor, axis: number, index: Tensor, source: Tensor | number): Tensor {
  const values = isTensor(source)
    ? source
    : x.engine.full(index.shape, source, { dtype: x.dtype, device: x.device });
  return scatterWith("scatter", x, axis, index, values, "set");
}

/** What the values for one place make together with what was there. */
export type ScatterReduction = "sum" | "prod" | "mean" | "amax" | "amin";

/**
 * `x` with the values of `source` joined at `index` along an axis, as in `scatter`: summed, multiplied, averaged, or the
 * extreme one chosen. What was there counts too unless `includeSelf` is false; places without a value keep theirs.
 *
 * The gradient of amax and amin is shared among ties.
 *
 * @throws `index-out-of-range`, `shape-mismatch`; `invalid-argument` for another reduction.
 *
 * Source: PyTorch's `scatter_reduce`.
 *
 * @example
 * ```ts
 * import { ones, scatterReduce, tensor } from "@gradus/tensor";
 * const index = tensor([0, 0], { dtype: "i32" });
 * console.log(scatterReduce(ones([2]), 0, index, tensor([3, 5]), "mean")); // → Tensor f32[2] [3, 1]
 * ```
 */
export function scatterReduce(
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
  reduction: ScatterReduction,
  options: { readonly includeSelf?: boolean } = {},
): Tensor {
  const op = operations[reduction];
  if (op === undefined) {
    const known = Object.keys(operations).join(", ");
    fail(
      "invalid-argument",
      `scatterReduce: the reduction must be one of ${known}, got ${String(reduction)}`,
    );
  }
  const { includeSelf = true } = options;
  const name = "scatterReduce";
  const run = (base: Tensor, values: Tensor, how: Scattering): Tensor =>
    scatterWith(name, base, axis, index, values, how);
  const counts = (): Tensor => run(x.zerosLike().cast("i32"), onesFor(index), "sum");
  // Without what was there: the neutral number, where a value comes.
  const base = includeSelf ? x : counts().gt(0).where(neutral(x, op), x);
  const joined = run(base, source, op);
  if (reduction !== "mean") return joined;
  const number = counts()
    .add(includeSelf ? 1 : 0)
    .maximum(1);
  return joined.dtype === "i32" ? joined.div(number).floor().cast("i32") : joined.div(number);
}

const operations: Readonly<Record<ScatterReduction, Exclude<Scattering, "set">>> = {
  sum: "sum",
  prod: "prod",
  mean: "sum",
  amax: "max",
  amin: "min",
};

function neutral({ dtype }: Tensor, op: Exclude<Scattering, "set">): number {
  if (op === "sum") return 0;
  if (op === "prod") return 1;
  if (dtype === "i32") return op === "max" ? -2147483648 : 2147483647;
  return op === "max" ? -Infinity : Infinity;
}

function onesFor(index: Tensor): Tensor {
  return index.engine.full(index.shape, 1, { dtype: "i32", device: index.device });
}

function scatterWith(
  name: string,
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
  op: Scattering,
): Tensor {
  checkWhole(name, index);
  if (x.ndim === 0) {
    return scatterWith(name, x.reshape([1]), 0, index.reshape([-1]), source.reshape([-1]), op).reshape([]);
  }
  const at = normalizeAxis(name, axis, x.ndim);
  const covered = source.ndim === x.ndim && index.shape.every((n, k) => n <= (source.shape[k] as number));
  const inside =
    index.ndim === x.ndim && index.shape.every((n, k) => k === at || n <= (x.shape[k] as number));
  if (!inside || !covered) {
    fail(
      "shape-mismatch",
      `${name}: the index ${formatShape(index.shape)} must lie within the tensor ${formatShape(x.shape)} except along axis ${at}, and the source ${formatShape(source.shape)} must cover it`,
    );
  }
  checkPositions(name, index, x.shape[at] as number, at);
  const joined = promote(x.dtype, source.dtype);
  const dtype = joined === "bool" && op !== "set" ? "i32" : joined;
  const values = source.slice(...index.shape.map((n) => [0, n] as const)).cast(dtype);
  const base = x.cast(dtype);
  const reach = x.shape.map((n, k) => (k === at ? n : (index.shape[k] as number)));
  if (sameShape(reach, x.shape)) return scatterRows(base, at, index.cast("i32"), values, op);
  // The part of x that the index reaches, put back among the rest.
  const part = base.slice(...reach.map((n) => [0, n] as const));
  const changed = scatterRows(part, at, index.cast("i32"), values, op);
  const back = (t: Tensor): Tensor => t.pad(x.shape.map((n, k) => [0, n - (reach[k] as number)] as const));
  const reached = x.engine.full(reach, 1, { dtype: "i32", device: x.device });
  return back(reached).ne(0).where(back(changed), base);
}
