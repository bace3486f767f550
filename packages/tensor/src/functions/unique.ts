import { normalizeAxis, sizeOf, type Tensor, type TypedArray, typedArray } from "@gradus/core";
import { awaitedValuesFor, valuesFor } from "../ops/concrete.js";

const INSTEAD = "Sort instead, and mark where neighbours differ";

export interface Unique {
  /** The different values, ascending, NaN last (each NaN is a value of its own). */
  readonly values: Tensor;
  /** For each element, or each slice of the axis, which of the values it is; i32. */
  readonly inverse: Tensor;
  /** How often each value occurs; i32. */
  readonly counts: Tensor;
}

/**
 * The different values of a tensor, or with an axis its different slices along it (in lexicographic order). The shape
 * depends on values: not inside `compile`. Not differentiable.
 *
 * @throws `value-in-trace` inside `compile`; `no-sync-read` on a device that cannot be read without waiting: use
 * `uniqueAsync` there.
 *
 * Source: PyTorch's and NumPy's `unique`.
 *
 * @example
 * ```ts
 * import { tensor, unique } from "@gradus/tensor";
 * const { values, counts } = unique(tensor([3, 1, 3]));
 * console.log(values, counts); // → Tensor f32[2] [1, 3] Tensor i32[2] [1, 2]
 * ```
 */
export function unique(x: Tensor, axis?: number): Unique {
  return differing(valuesFor("unique", x, INSTEAD), x, axis);
}

/** {@link unique}, on any device. */
export async function uniqueAsync(x: Tensor, axis?: number): Promise<Unique> {
  return differing(await awaitedValuesFor("unique", x, INSTEAD), x, axis);
}

function differing(data: TypedArray, x: Tensor, axis: number | undefined): Unique {
  const at = axis === undefined ? 0 : normalizeAxis("unique", axis, x.ndim);
  const shape = axis === undefined ? [x.size] : x.shape;
  const [outer, n, inner] = [sizeOf(shape.slice(0, at)), shape[at] as number, sizeOf(shape.slice(at + 1))];
  const element = (slice: number, k: number): number =>
    data[(Math.floor(k / inner) * n + slice) * inner + (k % inner)] as number;
  const width = outer * inner;
  const order = (a: number, b: number): number => {
    for (let k = 0; k < width; k++) {
      const difference = compare(element(a, k), element(b, k));
      if (difference !== 0) return difference;
    }
    return 0;
  };
  const sorted = Array.from({ length: n }, (_, i) => i).sort((a, b) => order(a, b) || a - b);
  const inverse = new Int32Array(n);
  const first: number[] = [];
  const counts: number[] = [];
  for (const slice of sorted) {
    const last = first.at(-1);
    const isNew = last === undefined || order(last, slice) !== 0 || hasNaN(slice);
    if (isNew) {
      first.push(slice);
      counts.push(0);
    }
    inverse[slice] = first.length - 1;
    counts[counts.length - 1] = (counts.at(-1) as number) + 1;
  }
  function hasNaN(slice: number): boolean {
    for (let k = 0; k < width; k++) if (Number.isNaN(element(slice, k))) return true;
    return false;
  }
  const values = typedArray(x.dtype, first.length * width);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < first.length; i++) {
      for (let k = 0; k < inner; k++) {
        values[(o * first.length + i) * inner + k] = element(first[i] as number, o * inner + k);
      }
    }
  }
  const make = (list: TypedArray, sizes: readonly number[]): Tensor =>
    x.engine.tensor(list, { dtype: "i32", shape: sizes, device: x.device });
  return {
    values: x.engine.tensor(values, {
      dtype: x.dtype,
      shape: shape.map((size, k) => (k === at ? first.length : size)),
      device: x.device,
    }),
    inverse: make(inverse, axis === undefined ? x.shape : [n]),
    counts: make(Int32Array.from(counts), [counts.length]),
  };
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
