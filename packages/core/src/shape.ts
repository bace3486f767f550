import { fail } from "./errors.js";

export type Shape = readonly number[];

/** A shape as messages print it: `[32, 10]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The number of elements: the product of the sizes, 1 for `[]`. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Element strides of a row-major (C order) tensor. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}

/** Throws unless every size is a whole number of at least 0 and the element count fits 32-bit indices. */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    fail("invalid-argument", `${op}: expected a list of sizes such as [2, 3], got ${JSON.stringify(shape)}`);
  }
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) {
      fail("invalid-argument", `${op}: sizes must be whole numbers of at least 0, got ${formatShape(shape)}`);
    }
  }
  if (sizeOf(shape) > 2147483647) {
    fail(
      "out-of-memory",
      `${op}: ${formatShape(shape)} has more than 2^31 - 1 elements, the limit of one tensor`,
    );
  }
}

/** `axis` counted from the front: -1 is the last one of `rank` axes. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range = rank === 0 ? "a 0-dimensional tensor has no axes" : `expected ${-rank} to ${rank - 1}`;
    fail("axis-out-of-range", `${op}: axis ${axis} of a ${rank}-dimensional tensor: ${range}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, ascending, each once; all of them when `axes` is undefined. */
export function normalizeAxes(
  op: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  if (!Array.isArray(list)) {
    fail("invalid-argument", `${op}: expected an axis or a list of axes, got ${JSON.stringify(axes)}`);
  }
  // PyTorch takes axis 0 and -1 of a zero-dimensional tensor as the tensor itself.
  if (rank === 0 && list.every((axis) => axis === 0 || axis === -1)) return [];
  const normalized = list.map((axis) => normalizeAxis(op, axis, rank));
  const repeated = normalized.find((axis, i) => normalized.indexOf(axis) !== i);
  if (repeated !== undefined)
    fail("axis-out-of-range", `${op}: axis ${repeated} is named twice in [${list.join(", ")}]`);
  return normalized.sort((a, b) => a - b);
}

/**
 * The shape that two shapes broadcast to (NumPy's rule): aligned at the right, sizes equal or one of them 1.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      fail(
        "shape-mismatch",
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${m} against ${n} at axis ${rank - i}. ` +
          "Sizes must be equal, or one of them 1, counted from the right.",
      );
    }
    shape[rank - i] = m === 1 ? n : m;
  }
  return shape;
}

/** `shape` without `axes`, or with size 1 in their place. */
export function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): number[] {
  if (keepdims) return shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  return shape.filter((_, axis) => !axes.includes(axis));
}
