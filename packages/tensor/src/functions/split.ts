import { fail, formatShape, normalizeAxis, type SliceRange, type Tensor } from "@gradus/core";

/**
 * The parts of an axis (0 by default), as views: pieces of `sizes` elements, the last one shorter if need be, or pieces of
 * the listed sizes.
 *
 * @throws `invalid-argument` for sizes that are not whole numbers; `shape-mismatch` for a list that does not sum to the axis.
 *
 * Source: PyTorch's `split`. NumPy's lists positions instead.
 *
 * @example
 * ```ts
 * import { split, tensor } from "@gradus/tensor";
 * const [a, b] = split(tensor([1, 2, 3, 4, 5]), [2, 3]);
 * console.log(a, b); // → Tensor f32[2] [1, 2] Tensor f32[3] [3, 4, 5]
 * ```
 */
export function split(x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis("split", axis, x.ndim);
  const length = x.shape[at] as number;
  const list = typeof sizes === "number" ? pieces(sizes, length) : sizes;
  if (!list.every((size) => Number.isInteger(size) && size >= 0))
    fail("invalid-argument", `split: sizes must be whole numbers of at least 0, got ${String(sizes)}`);
  const total = list.reduce((sum, size) => sum + size, 0);
  if (total !== length) {
    fail(
      "shape-mismatch",
      `split: the sizes ${formatShape(list)} sum to ${total}, but axis ${at} of ${formatShape(x.shape)} has ${length}`,
    );
  }
  let start = 0;
  return list.map((size) => {
    start += size;
    return range(x, at, start - size, start);
  });
}

function pieces(size: number, length: number): number[] {
  if (!Number.isInteger(size) || size < 1)
    fail("invalid-argument", `split: the size must be a whole number of at least 1, got ${size}`);
  const count = Math.max(1, Math.ceil(length / size));
  return Array.from({ length: count }, (_, k) => Math.min(size, length - k * size));
}

/** The elements from `start` up to `stop` of an axis counted from the front. */
export function range(x: Tensor, axis: number, start: number, stop: number): Tensor {
  return x.slice(...x.shape.map((_, k): SliceRange => (k === axis ? [start, stop] : null)));
}
