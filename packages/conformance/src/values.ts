import type { DType } from "@gradus/core";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** The greatest number of f32, and the least that is not denormal. */
export const MAX_F32 = 3.4028234663852886e38;
export const MIN_F32 = 1.1754943508222875e-38;
export const MAX_I32 = 2147483647;
export const MIN_I32 = -2147483648;

/**
 * Numbers that go wrong: signs, zeros, halves, whole numbers around 2^24, the ends of the range, infinities and NaN. No
 * denormals: a device may flush them.
 */
const floats: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2, -2, 2.5, -2.5, 3, -3, 0.1, -0.1, 0.75, -0.75, 1e-3, -1e-3],
  ...[7, -7, 10, -10, 60, -60, 88, -87, 120, -120, 8388609, -8388609, 1e10, -1e10, 1e-20, -1e-20],
  ...[MIN_F32, -MIN_F32, MAX_F32, -MAX_F32, inf, -inf, nan],
];

const integers: readonly number[] = [
  ...[0, 1, -1, 2, -2, 3, -3, 7, 10, -10, 31, 32, 33, 100, 46341, -46341, 65536, -65536, 65537, 16777217],
  ...[MAX_I32 - 1, MAX_I32, MIN_I32 + 1, MIN_I32],
];

/** The values on which an operation of one or two operands is tried. */
export function gridOf(dtype: DType): readonly number[] {
  return dtype === "bool" ? [0, 1] : dtype === "i32" ? integers : floats;
}

/** Fewer of them, for operations of three operands. */
export function shortGridOf(dtype: DType): readonly number[] {
  if (dtype === "bool") return [0, 1];
  return dtype === "i32"
    ? [0, 1, -1, 7, MAX_I32, MIN_I32]
    : [0, -0, 1, -1, 0.1, -2.5, MAX_F32, inf, -inf, nan];
}

/** Every combination of one value of each list, as one column for each list. */
export function combinations(lists: readonly (readonly number[])[]): number[][] {
  let rows: number[][] = [[]];
  for (const list of lists) rows = rows.flatMap((row) => list.map((value) => [...row, value]));
  return lists.map((_, k) => rows.map((row) => row[k] as number));
}

/** Sizes at which loops, vectors and workgroups end in the wrong place. */
export const edgeSizes: readonly number[] = [0, 1, 3, 5, 65537];

/** Whole numbers from -`range` to `range`, the same ones for the same seed: their sums are exact in any order. */
export function wholeNumbers(n: number, range = 4, seed = 1): number[] {
  const next = random(seed);
  return Array.from({ length: n }, () => Math.floor(next() * (2 * range + 1)) - range);
}

/** Numbers from -1 to 1, the same ones for the same seed, each a value of f32. */
export function uniformNumbers(n: number, seed = 1): number[] {
  const next = random(seed);
  return Array.from({ length: n }, () => Math.fround(2 * next() - 1));
}

export function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Numbers from 0 to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
