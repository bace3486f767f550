import { broadcastShapes, fail, type SliceRange, sizeOf, type Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import type { Options } from "../options.js";
import { isRecord } from "../schema/values.js";
import { unsupported } from "../unsupported.js";
import { axisOf, type OpTable } from "./op.js";
import { select } from "./shapes.js";
import { alongAxis, take, takeAt } from "./take.js";

/** Ops that choose elements by index tensors or masks. */
export const indexing: OpTable = {
  gather: ([x, index], options) => (x as Tensor).gather(options.number("dim"), index as Tensor),
  take_along_dim: ([x, index], options) => {
    const [input, at] = [x as Tensor, index as Tensor];
    if (!options.has("dim")) return input.flatten().gather(0, at.flatten());
    const axis = axisOf(input, options, "dim");
    const others = (t: Tensor): number[] => t.shape.map((n, k) => (k === axis ? 1 : n));
    const joined = broadcastShapes("take_along_dim", others(input), others(at));
    const spread = (t: Tensor): Tensor =>
      t.expand(joined.map((n, k) => (k === axis ? (t.shape[k] as number) : n)));
    return spread(input).gather(axis, spread(at));
  },
  index_select: ([x, index], options) => {
    const input = x as Tensor;
    return takeAt(input, axisOf(input, options, "dim"), index as Tensor);
  },
  scatter_add: ([x, index, source], options) =>
    (x as Tensor).scatterAdd(options.number("dim"), index as Tensor, source as Tensor),
  scatter: ([x, index, source], options) => {
    const [input, at] = [x as Tensor, index as Tensor];
    const values = source ?? input.engine.full(at.shape, options.number("value"), { dtype: input.dtype });
    return replace(input, options.number("dim"), at, values);
  },
  scatter_reduce: ([x, index, source], options) => {
    const how = options.string("reduce", "");
    if (how !== "sum" || !options.boolean("include_self", true))
      unsupported(`scatter_reduce with reduce ${how}`);
    return (x as Tensor).scatterAdd(options.number("dim"), index as Tensor, source as Tensor);
  },
  index_add: ([x, index, source], options) => {
    const [input, added] = [x as Tensor, (source as Tensor).mul(options.number("alpha", 1))];
    const axis = axisOf(input, options, "dim");
    return input.scatterAdd(axis, alongAxis(input, axis, index as Tensor), added);
  },
  masked_select: ([x, mask]) => {
    const [input, chosen] = [x as Tensor, mask as Tensor];
    const shape = broadcastShapes("masked_select", input.shape, chosen.shape);
    return take(input.expand(shape).flatten(), 0, positionsOf(chosen.expand(shape)));
  },
  embedding: ([index, weight], options) => {
    const [at, table] = [index as Tensor, weight as Tensor];
    const rows = takeAt(table, 0, at.flatten()).reshape([...at.shape, ...table.shape.slice(1)]);
    if (!options.has("padding_idx")) return rows;
    const padding = options.number("padding_idx");
    const row = padding < 0 ? padding + (table.shape[0] as number) : padding;
    // The row of the padding is not trained.
    return at.eq(row).unsqueeze(-1).where(rows.detach(), rows);
  },
  index: ([x, ...indices], options) => indexWith(x as Tensor, specOf(options), indices),
  index_put: ([x, values, ...indices], options) => {
    const [input, source] = [x as Tensor, values as Tensor];
    const spec = specOf(options);
    if (!spec.every((entry) => isRecord(entry) && "tensor" in entry))
      unsupported("index_put with slices or numbers");
    const { axes, shape, positions } = advanced(input, spec, indices);
    const rest = input.shape.slice(axes.length);
    const rows = input.reshape([sizeOf(input.shape.slice(0, axes.length)), ...rest]);
    const at = alongAxis(rows, 0, tensor(Int32Array.from(positions)));
    const spread = source.expand([...shape, ...rest]).reshape(at.shape);
    const put = options.boolean("accumulate", false)
      ? rows.scatterAdd(0, at, spread)
      : replace(rows, 0, at, spread);
    return put.reshape(input.shape);
  },
};

/** `x` with the elements at `index` replaced by those of `source`; no position may come twice. */
function replace(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  const chosen = x.zerosLike().cast("i32").scatterAdd(axis, index, index.onesLike()).ne(0);
  return chosen.where(x.zerosLike().scatterAdd(axis, index, source), x);
}

/** The flat positions of what is true. */
function positionsOf(mask: Tensor): number[] {
  return [...mask.data()].flatMap((value, i) => (value === 0 ? [] : [i]));
}

/** An entry of `index`: a number, `"..."`, `"newaxis"`, `{ slice }` or `{ tensor }`. */
type Entry = number | string | Readonly<Record<string, unknown>>;

function specOf(options: Options): Entry[] {
  const spec = options.get("spec");
  return Array.isArray(spec) ? (spec as Entry[]) : unsupported("index without a spec");
}

/** NumPy's and PyTorch's indexing. */
function indexWith(x: Tensor, spec: readonly Entry[], indices: readonly Tensor[]): Tensor {
  const taken = spec.reduce<number>((n, entry) => n + axesTaken(entry, indices), 0);
  const gap = spec.indexOf("...");
  const ellipsis = new Array<Entry>(Math.max(0, x.ndim - taken)).fill({ slice: [] });
  const full =
    gap < 0 ? [...spec, ...ellipsis] : [...spec.slice(0, gap), ...ellipsis, ...spec.slice(gap + 1)];
  if (taken > x.ndim) fail("axis-out-of-range", `index: ${taken} indices for ${x.ndim} axes`);

  // Numbers, slices and new axes first; index tensors keep their axes until all others are done.
  let y = x;
  let axis = 0;
  const later: { readonly entry: Entry; readonly axis: number }[] = [];
  for (const entry of full) {
    if (entry === "newaxis") y = y.unsqueeze(axis++);
    else if (typeof entry === "number") y = select(y, axis, entry);
    else if (isRecord(entry) && Array.isArray(entry.slice)) y = sliceAxis(y, axis++, entry.slice);
    else if (isRecord(entry) && typeof entry.tensor === "number") {
      later.push({ entry, axis });
      axis += axesTaken(entry, indices);
    } else unsupported(`index by ${JSON.stringify(entry)}`);
  }
  return later.length === 0 ? y : indexByTensors(y, later, indices);
}

function indexByTensors(
  x: Tensor,
  entries: readonly { readonly entry: Entry; readonly axis: number }[],
  indices: readonly Tensor[],
): Tensor {
  const used = entries.flatMap(({ entry, axis }) => {
    const count = axesTaken(entry, indices);
    return Array.from({ length: count }, (_, k) => axis + k);
  });
  const others = x.shape.map((_, axis) => axis).filter((axis) => !used.includes(axis));
  const front = x.permute([...used, ...others]);
  const { shape, positions } = advanced(
    front,
    entries.map(({ entry }) => entry),
    indices,
  );
  const rest = front.shape.slice(used.length);
  const rows = front.reshape([sizeOf(front.shape.slice(0, used.length)), ...rest]);
  const found = take(rows, 0, positions).reshape([...shape, ...rest]);
  // Neighbouring index tensors put their axes where they stood, others to the front.
  const together = used.every((axis, k) => k === 0 || axis === (used[k - 1] as number) + 1);
  if (!together) return found;
  const before = used[0] as number;
  const own = shape.map((_, k) => k);
  const after = rest.map((_, k) => shape.length + k);
  return found.permute([...after.slice(0, before), ...own, ...after.slice(before)]);
}

/** Index tensors of the leading axes as positions in those axes flattened, and the shape of the result. */
function advanced(
  x: Tensor,
  entries: readonly Entry[],
  indices: readonly Tensor[],
): { readonly axes: readonly number[]; readonly shape: readonly number[]; readonly positions: number[] } {
  const lists = entries.flatMap((entry) => {
    const index = indexOf(entry, indices);
    return index.dtype === "bool" ? coordinates(index, x, 0) : [index];
  });
  const axes = lists.map((_, axis) => axis);
  const shape = lists.reduce<readonly number[]>(
    (joined, list) => broadcastShapes("index", joined, list.shape),
    [],
  );
  const positions = new Array<number>(sizeOf(shape)).fill(0);
  lists.forEach((list, axis) => {
    const n = x.shape[axis] as number;
    const values = list.expand(shape).data();
    positions.forEach((position, i) => {
      const value = values[i] as number;
      if (value < -n || value >= n)
        fail("index-out-of-range", `index: ${value} at axis ${axis}, which has size ${n}`);
      positions[i] = position * n + (value < 0 ? value + n : value);
    });
  });
  return { axes, shape, positions };
}

/** Where a mask is true, as one index tensor for each of its axes. */
function coordinates(mask: Tensor, x: Tensor, firstAxis: number): Tensor[] {
  if (mask.shape.some((n, k) => n !== x.shape[firstAxis + k])) {
    fail("shape-mismatch", `index: the mask [${mask.shape.join(", ")}] does not fit [${x.shape.join(", ")}]`);
  }
  const flat = positionsOf(mask);
  return mask.shape.map((n, axis) => {
    const stride = sizeOf(mask.shape.slice(axis + 1));
    return tensor(Int32Array.from(flat, (position) => Math.floor(position / stride) % n));
  });
}

function axesTaken(entry: Entry, indices: readonly Tensor[]): number {
  if (typeof entry === "string") return 0;
  if (typeof entry === "number" || !("tensor" in entry)) return 1;
  const index = indexOf(entry, indices);
  return index.dtype === "bool" ? index.ndim : 1;
}

function indexOf(entry: Entry, indices: readonly Tensor[]): Tensor {
  const which = isRecord(entry) ? entry.tensor : undefined;
  return indices[which as number] ?? unsupported(`index by ${JSON.stringify(entry)}`);
}

function sliceAxis(x: Tensor, axis: number, bounds: readonly unknown[]): Tensor {
  const [start, stop, step] = bounds.map((bound) => (bound === null ? undefined : (bound as number)));
  return x.slice(...x.shape.map((_, k): SliceRange => (k === axis ? [start, stop, step ?? 1] : null)));
}
