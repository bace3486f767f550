import {
  fail,
  formatShape,
  isFloat,
  isTensor,
  normalizeAxis,
  type ReduceOptions,
  type Tensor,
} from "@gradus/core";

/** What lies between two neighbours in order. */
export type Interpolation = "linear" | "lower" | "higher" | "midpoint" | "nearest";

export interface QuantileOptions extends ReduceOptions {
  /** Default "linear". */
  readonly interpolation?: Interpolation;
}

/**
 * The `q`-quantile along an axis, or of all elements: the value at position `q (n - 1)` of the sorted ones, interpolated. For
 * a vector of q the results are stacked along a new first axis. NaN where there is a NaN.
 *
 * @throws `invalid-argument` for q outside of [0, 1] or nothing to choose from; `dtype-mismatch` for integers.
 *
 * Source: PyTorch's and NumPy's `quantile`.
 *
 * @example
 * ```ts
 * import { quantile, tensor } from "@gradus/tensor";
 * console.log(quantile(tensor([3, 1, 2, 4]), 0.5).item()); // → 2.5
 * console.log(quantile(tensor([3, 1, 2, 4]), [0, 1])); // → Tensor f32[2] [1, 4]
 * ```
 */
export function quantile(
  x: Tensor,
  q: number | readonly number[] | Tensor,
  axis?: number,
  options: QuantileOptions = {},
): Tensor {
  return among("quantile", x, q, axis, options, (rows, wanted) => {
    const size = rows.shape.at(-1) as number;
    const found = between(rows.sort().values, wanted.mul(size - 1), options.interpolation);
    return rows.isNaN().any(-1, { keepdims: true }).where(Number.NaN, found);
  });
}

/**
 * {@link quantile} of the elements that are not NaN; NaN where there are none.
 *
 * Source: PyTorch's and NumPy's `nanquantile`.
 *
 * @example
 * ```ts
 * import { nanquantile, tensor } from "@gradus/tensor";
 * console.log(nanquantile(tensor([3, NaN, 2]), 0.5).item()); // → 2.5
 * ```
 */
export function nanquantile(
  x: Tensor,
  q: number | readonly number[] | Tensor,
  axis?: number,
  options: QuantileOptions = {},
): Tensor {
  return among("nanquantile", x, q, axis, options, (rows, wanted) => {
    const counts = rows.isNaN().logicalNot().sum(-1, { keepdims: true }).cast(rows.dtype);
    // In order, NaN comes last.
    const found = between(rows.sort().values, wanted.mul(counts.sub(1).maximum(0)), options.interpolation);
    return counts.eq(0).where(Number.NaN, found);
  });
}

/** From rows in the last axis and wanted quantiles `[count]` to `[..., count]`, then the axes where they belong. */
function among(
  name: string,
  x: Tensor,
  q: number | readonly number[] | Tensor,
  axis: number | undefined,
  { keepdims = false }: QuantileOptions,
  find: (rows: Tensor, wanted: Tensor) => Tensor,
): Tensor {
  if (!isFloat(x.dtype))
    fail("dtype-mismatch", `${name}: expected floats, got ${x.dtype}. Convert first: x.cast("f32")`);
  const single = typeof q === "number" || (isTensor(q) && q.ndim === 0);
  if (!isTensor(q) && !(typeof q === "number" ? [q] : q).every((part) => part >= 0 && part <= 1))
    fail("invalid-argument", `${name}: q must be within 0 and 1, got ${String(q)}`);
  if (isTensor(q) && q.ndim > 1)
    fail("shape-mismatch", `${name}: q must be a number or a vector, got ${formatShape(q.shape)}`);
  const flat = axis === undefined || x.ndim === 0;
  const at = flat ? 0 : normalizeAxis(name, axis, x.ndim);
  const rows = flat ? x.reshape([x.size]) : x.transpose(at, -1);
  if (rows.shape.at(-1) === 0)
    fail("invalid-argument", `${name}: nothing to choose from: ${formatShape(x.shape)} is empty`);
  const wanted = isTensor(q)
    ? q.reshape([-1]).cast(x.dtype)
    : x.engine.tensor(typeof q === "number" ? [q] : [...q], { dtype: x.dtype, device: x.device });
  const found = find(rows, wanted);
  const count = wanted.size;
  // [..., count] to [count, ...], with the reduced axis kept as 1 or dropped.
  const first = found.permute([found.ndim - 1, ...rows.shape.slice(0, -1).map((_, k) => k)]);
  const kept = x.shape.map((n, k) => (flat || k === at ? 1 : n));
  const back = flat ? first.reshape([count, ...kept]) : first.unsqueeze(-1).transpose(1 + at, -1);
  const shaped = keepdims ? back : back.reshape([count, ...kept.filter((_, k) => !flat && k !== at)]);
  return single ? shaped.squeeze(0) : shaped;
}

/** The values at broken positions of sorted rows. */
function between(sorted: Tensor, ranks: Tensor, interpolation: Interpolation = "linear"): Tensor {
  const spread = ranks.expand([...sorted.shape.slice(0, -1), ranks.shape.at(-1) as number]);
  const at = (position: Tensor): Tensor => sorted.gather(sorted.ndim - 1, position.cast("i32"));
  switch (interpolation) {
    case "lower":
      return at(spread.floor());
    case "higher":
      return at(spread.ceil());
    case "nearest":
      return at(spread.round());
    case "midpoint":
    case "linear": {
      const [below, above] = [at(spread.floor()), at(spread.ceil())];
      const weight = interpolation === "midpoint" ? 0.5 : spread.sub(spread.floor());
      return below.eq(above).where(below, below.add(above.sub(below).mul(weight)));
    }
    default:
      return fail(
        "invalid-argument",
        `quantile: interpolation must be linear, lower, higher, midpoint or nearest, got ${String(interpolation satisfies never)}`,
      );
  }
}
