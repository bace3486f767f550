import {
  broadcastShapes,
  calculus as c,
  type Expr,
  fail,
  formatShape,
  type IndexEntry,
  isTensor,
  type SliceRange,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { pointwise } from "../elementwise.js";
import { asGradusTensor } from "../gradus-tensor.js";
import { awaitedValuesFor, valuesFor } from "./concrete.js";
import { checkPositions, checkWhole } from "./positions.js";
import { takeRows } from "./rows.js";

const INSTEAD = "Use mask.where(x, value) instead of a mask as an index";

/** The elements of a mask that serves as an index. */
export type MaskValues = (mask: Tensor) => ArrayLike<number>;

/**
 * The elements that the entries choose, axis by axis. Numbers, ranges and new axes are views and come first; index tensors
 * broadcast with each other, and their axes stand where they stood, or in front if others are between them.
 */
export function index(
  x: Tensor,
  entries: readonly IndexEntry[],
  read: MaskValues = (mask) => valuesFor("index", mask, INSTEAD),
): Tensor {
  const taken = entries.reduce<number>((n, entry) => n + axesOf(entry), 0);
  if (taken > x.ndim) {
    fail("axis-out-of-range", `index: ${taken} entries for the ${x.ndim} axes of ${formatShape(x.shape)}`);
  }
  const gap = entries.indexOf("...");
  if (gap >= 0 && entries.indexOf("...", gap + 1) >= 0)
    fail("invalid-argument", 'index: "..." may stand for axes only once');
  const rest = new Array<null>(x.ndim - taken).fill(null);
  const all =
    gap < 0 ? [...entries, ...rest] : [...entries.slice(0, gap), ...rest, ...entries.slice(gap + 1)];

  const ranges: SliceRange[] = [];
  /** The axes of the view: sizes, with new ones, without those that numbers take. */
  const shape: number[] = [];
  const found: { readonly axis: number; readonly index: Tensor }[] = [];
  for (const entry of all) {
    const axis = ranges.length;
    if (entry === "newaxis") shape.push(1);
    else if (isTensor(entry)) {
      for (let k = 0; k < axesOf(entry); k++) ranges.push(null);
      for (const list of listsOf(entry, x, axis, read)) {
        found.push({ axis: shape.length, index: list });
        shape.push(-1);
      }
    } else if (typeof entry === "number") ranges.push(at(x, axis, entry));
    else {
      ranges.push(entry as SliceRange);
      shape.push(-1);
    }
  }
  const cut = x.slice(...ranges);
  // The sizes that are left, in order: numbers have left axes of size 1, which are skipped.
  let axis = 0;
  let filled = 0;
  for (const entry of all) {
    if (entry === "newaxis") filled++;
    else if (typeof entry === "number") axis++;
    else for (let k = 0; k < axesOf(entry); k++) shape[filled++] = cut.shape[axis++] as number;
  }
  const view = cut.reshape(shape);
  return found.length === 0 ? view : byTensors(view, found);
}

/** How many axes an entry takes. */
function axesOf(entry: IndexEntry): number {
  if (typeof entry === "string") {
    if (entry !== "..." && entry !== "newaxis")
      fail("invalid-argument", `index: expected "..." or "newaxis", got "${String(entry)}"`);
    return 0;
  }
  return isTensor(entry) && entry.dtype === "bool" ? entry.ndim : 1;
}

function at(x: Tensor, axis: number, position: number): SliceRange {
  const size = x.shape[axis] as number;
  if (!Number.isInteger(position) || position < -size || position >= size) {
    fail(
      "index-out-of-range",
      `index: ${position} is outside of axis ${axis} of ${formatShape(x.shape)}, which has size ${size}`,
    );
  }
  const from = position < 0 ? position + size : position;
  return [from, from + 1];
}

/** An index tensor as one list of positions for each axis that it takes: a mask is where it is true. */
function listsOf(entry: Tensor, x: Tensor, axis: number, read: MaskValues): Tensor[] {
  if (entry.dtype !== "bool") {
    checkWhole("index", entry);
    checkPositions("index", entry, x.shape[axis] as number, axis, true);
    return [entry];
  }
  if (entry.shape.some((n, k) => n !== x.shape[axis + k])) {
    fail(
      "shape-mismatch",
      `index: the mask ${formatShape(entry.shape)} does not fit ${formatShape(x.shape)} from axis ${axis} on`,
    );
  }
  return coordinatesOf(read(entry), entry);
}

/** What reads the masks among the entries without waiting, once it is there. */
export async function maskValues(op: string, entries: readonly IndexEntry[]): Promise<MaskValues> {
  const masks = entries.filter((entry): entry is Tensor => isTensor(entry) && entry.dtype === "bool");
  const read = await Promise.all(
    masks.map(async (mask) => [mask, await awaitedValuesFor(op, mask, INSTEAD)] as const),
  );
  const values = new Map<Tensor, ArrayLike<number>>(read);
  return (mask) => values.get(mask) as ArrayLike<number>;
}

/** Where the values are not zero, as a vector of positions for each axis of x. */
export function coordinatesOf(values: ArrayLike<number>, x: Tensor): Tensor[] {
  const flat: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) flat.push(i);
  return x.shape.map((n, axis) => {
    const stride = sizeOf(x.shape.slice(axis + 1));
    const positions = Int32Array.from(flat, (position) => Math.floor(position / stride) % n);
    return x.engine.tensor(positions, { device: x.device });
  });
}

function byTensors(x: Tensor, found: readonly { readonly axis: number; readonly index: Tensor }[]): Tensor {
  const used = found.map(({ axis }) => axis);
  const together = used.every((axis, k) => k === 0 || axis === (used[k - 1] as number) + 1);
  const others = x.shape.map((_, axis) => axis).filter((axis) => !used.includes(axis));
  // Positions in the used axes as one.
  const ordered = together ? x : x.permute([...used, ...others]);
  const first = together ? (used[0] as number) : 0;
  const before = ordered.shape.slice(0, first);
  const sizes = ordered.shape.slice(first, first + used.length);
  const after = ordered.shape.slice(first + used.length);
  const shape = found.reduce<readonly number[]>(
    (joined, { index }) => broadcastShapes("index", joined, index.shape),
    [],
  );
  const position = flatPosition(
    found.map(({ index }) => asGradusTensor("index", index).cast("i32")),
    sizes,
  );
  const rows = ordered.reshape([...before, sizeOf(sizes), ...after]);
  const taken = takeRows(rows, first, position.expand(shape).reshape([sizeOf(shape)]));
  return taken.reshape([...before, ...shape, ...after]);
}

/** Row-major positions in axes of these sizes; -1 where an index is outside, so that the device reports it. */
function flatPosition(indices: readonly Tensor[], sizes: readonly number[]): Tensor {
  return pointwise(`position ${sizes.length}`, "bits", [...indices, ...sizes], (...args) => {
    let inside: Expr = { kind: "const", value: 1, dtype: "bool" };
    let flat: Expr = { kind: "const", value: 0, dtype: "i32" };
    sizes.forEach((_, k) => {
      const [i, n] = [args[k] as Expr, args[sizes.length + k] as Expr];
      const own = c.where(c.less(i, 0), c.add(i, n), i);
      inside = c.logicalAnd(inside, c.logicalAnd(c.greaterEqual(own, 0), c.less(own, n)));
      flat = c.add(c.mul(flat, n), own);
    });
    return c.where(inside, flat, -1);
  });
}
