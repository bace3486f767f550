import type { IndexEntry, Tensor } from "@gradus/core";
import {
  type BincountOptions,
  bincount,
  bincountAsync,
  indexAdd,
  indexAsync,
  indexPut,
  indexPutAsync,
  maskedSelect,
  maskedSelectAsync,
  nonzero,
  nonzeroAsync,
  type ScatterReduction,
  scatter,
  scatterReduce,
  searchsorted,
  take,
  takeAlong,
  type Unique,
  unique,
  uniqueAsync,
} from "@gradus/tensor";
import type { Options } from "../options.js";
import { isRecord } from "../schema/values.js";
import { unsupported } from "../unsupported.js";
import { type OpTable, unary, unaryWith, type WaitingOp } from "./op.js";

/** Ops that choose elements by index tensors or masks. */
export const indexing: OpTable = {
  gather: ([x, index], options) => (x as Tensor).gather(options.number("dim"), index as Tensor),
  take: ([x, index]) => take(x as Tensor, index as Tensor),
  take_along_dim: ([x, index], options) =>
    takeAlong(x as Tensor, index as Tensor, options.has("dim") ? options.number("dim") : undefined),
  index_select: ([x, index], options) => (x as Tensor).indexSelect(options.number("dim"), index as Tensor),
  scatter_add: ([x, index, source], options) =>
    (x as Tensor).scatterAdd(options.number("dim"), index as Tensor, source as Tensor),
  scatter: ([x, index, source], options) =>
    scatter(x as Tensor, options.number("dim"), index as Tensor, source ?? options.number("value")),
  scatter_reduce: ([x, index, source], options) =>
    scatterReduce(
      x as Tensor,
      options.number("dim"),
      index as Tensor,
      source as Tensor,
      options.string("reduce", "") as ScatterReduction,
      { includeSelf: options.boolean("include_self", true) },
    ),
  index_add: ([x, index, source], options) =>
    indexAdd(x as Tensor, options.number("dim"), index as Tensor, source as Tensor, {
      alpha: options.number("alpha", 1),
    }),
  masked_select: ([x, mask]) => maskedSelect(x as Tensor, mask as Tensor),
  nonzero: unary((x) => nonzero(x)),
  unique: unaryWith((x, options) => uniqueOutputs(unique(x, axisOf(options)), options)),
  bincount: ([x, weights], options) => bincount(x as Tensor, bincountOptions(weights, options)),
  searchsorted: ([sorted, values], options) => {
    const side = options.string("side", "left");
    return searchsorted(sorted as Tensor, values as Tensor, {
      right: options.boolean("right", false) || side === "right",
    });
  },
  embedding: ([index, weight], options) => {
    const [at, table] = [index as Tensor, weight as Tensor];
    const rows = table.index(at);
    if (!options.has("padding_idx")) return rows;
    const padding = options.number("padding_idx");
    const row = padding < 0 ? padding + (table.shape[0] as number) : padding;
    // The row of the padding is not trained.
    return at.eq(row).unsqueeze(-1).where(rows.detach(), rows);
  },
  index: ([x, ...indices], options) => (x as Tensor).index(...entriesOf(options, indices)),
  index_put: ([x, values, ...indices], options) =>
    indexPut(x as Tensor, entriesOf(options, indices), values as Tensor, {
      accumulate: options.boolean("accumulate", false),
    }),
};

/** Those of them whose result's shape depends on values, as functions that wait. */
export const waitingIndexing: Readonly<Record<string, WaitingOp>> = {
  masked_select: ([x, mask]) => maskedSelectAsync(x as Tensor, mask as Tensor),
  nonzero: ([x]) => nonzeroAsync(x as Tensor),
  unique: async ([x], options) => uniqueOutputs(await uniqueAsync(x as Tensor, axisOf(options)), options),
  bincount: ([x, weights], options) => bincountAsync(x as Tensor, bincountOptions(weights, options)),
  index: ([x, ...indices], options) => indexAsync(x as Tensor, ...entriesOf(options, indices)),
  index_put: ([x, values, ...indices], options) =>
    indexPutAsync(x as Tensor, entriesOf(options, indices), values as Tensor, {
      accumulate: options.boolean("accumulate", false),
    }),
};

function axisOf(options: Options): number | undefined {
  return options.has("dim") ? options.number("dim") : undefined;
}

function uniqueOutputs({ values, inverse, counts }: Unique, options: Options): Tensor[] {
  options.boolean("sorted", true);
  return [
    values,
    ...(options.boolean("return_inverse", false) ? [inverse] : []),
    ...(options.boolean("return_counts", false) ? [counts] : []),
  ];
}

function bincountOptions(weights: Tensor | undefined, options: Options): BincountOptions {
  return { ...(weights && { weights }), minLength: options.number("minlength", 0) };
}

/** The entries of `spec`: numbers, `"..."`, `"newaxis"`, `{ slice }` and `{ tensor }`. */
function entriesOf(options: Options, indices: readonly Tensor[]): IndexEntry[] {
  const spec = options.get("spec");
  if (!Array.isArray(spec)) return unsupported("index without a spec");
  return (spec as unknown[]).map((entry): IndexEntry => {
    if (entry === "..." || entry === "newaxis" || typeof entry === "number") return entry;
    if (isRecord(entry) && Array.isArray(entry.slice)) {
      const [start, stop, step] = entry.slice.map((bound) =>
        bound === null ? undefined : (bound as number),
      );
      return [start, stop, step ?? 1];
    }
    const index = isRecord(entry) ? indices[entry.tensor as number] : undefined;
    return index ?? unsupported(`index by ${JSON.stringify(entry)}`);
  });
}
