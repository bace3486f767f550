import { fail, formatShape, type IndexEntry, isTensor, promote, sizeOf, type Tensor } from "@gradus/core";
import { index, type MaskValues, maskValues } from "../ops/index.js";
import { scatterRows } from "../ops/rows.js";

export interface IndexPutOptions {
  /** Add the values instead of replacing elements by them. Default false. */
  readonly accumulate?: boolean;
}

/**
 * `x` with the elements that the entries choose, as in `x.index`, replaced by `values`, which broadcast to them; of several
 * for one place the last one stays. With `accumulate` they are added instead, all of them.
 *
 * @throws as `x.index` (on a device that cannot be read without waiting, use `indexPutAsync` with masks), and `shape-mismatch` for values that do not broadcast.
 *
 * Source: PyTorch's `index_put`, and `x[...] = values`.
 *
 * @example
 * ```ts
 * import { indexPut, tensor, zeros } from "@gradus/tensor";
 * console.log(indexPut(zeros([4]), [[1, 3]], 7)); // → Tensor f32[4] [0, 7, 7, 0]
 * const at = tensor([0, 0], { dtype: "i32" });
 * console.log(indexPut(zeros([2]), [at], tensor([1, 2]), { accumulate: true })); // → Tensor f32[2] [3, 0]
 * ```
 */
export function indexPut(
  x: Tensor,
  entries: readonly IndexEntry[],
  values: Tensor | number,
  options: IndexPutOptions = {},
): Tensor {
  return put(x, entries, values, options);
}

/** {@link indexPut}, on any device: a mask among the entries is waited for. */
export async function indexPutAsync(
  x: Tensor,
  entries: readonly IndexEntry[],
  values: Tensor | number,
  options: IndexPutOptions = {},
): Promise<Tensor> {
  return put(x, entries, values, options, await maskValues("indexPut", entries));
}

function put(
  x: Tensor,
  entries: readonly IndexEntry[],
  values: Tensor | number,
  options: IndexPutOptions,
  read?: MaskValues,
): Tensor {
  const given = isTensor(values) ? values : x.engine.full([], values, { dtype: x.dtype, device: x.device });
  // Axes behind the last entry are whole: rows of them are written at once.
  const lead = entries.includes("...") ? x.ndim : leadingAxes(x, entries);
  const sizes = x.shape.slice(0, lead);
  const inner = x.shape.slice(lead);
  const all = x.engine.arange(0, sizeOf(sizes), 1, { dtype: "i32", device: x.device }).reshape(sizes);
  const places = index(all, entries, read);
  const shape = [...places.shape, ...inner];
  const fits = given.ndim <= shape.length;
  if (!fits)
    fail(
      "shape-mismatch",
      `indexPut: the values ${formatShape(given.shape)} do not broadcast to the chosen ${formatShape(shape)}`,
    );
  const accumulate = options.accumulate ?? false;
  const joined = promote(x.dtype, given.dtype);
  const dtype = joined === "bool" && accumulate ? "i32" : joined;
  const rows = [sizeOf(sizes), sizeOf(inner)];
  return scatterRows(
    x.cast(dtype).reshape(rows),
    0,
    places.reshape([places.size]),
    given
      .cast(dtype)
      .expand(shape)
      .reshape([places.size, sizeOf(inner)]),
    accumulate ? "sum" : "set",
  ).reshape(x.shape);
}

function leadingAxes(x: Tensor, entries: readonly IndexEntry[]): number {
  const taken = entries.reduce<number>((n, entry) => {
    if (typeof entry === "string") return n;
    return n + (isTensor(entry) && entry.dtype === "bool" ? entry.ndim : 1);
  }, 0);
  if (taken > x.ndim)
    fail("axis-out-of-range", `indexPut: ${taken} entries for the ${x.ndim} axes of ${formatShape(x.shape)}`);
  return taken;
}
