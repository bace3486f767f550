import { type DType, fail, isTensor, type Shape, type Tensor } from "@gradus/core";

/** What targets are, as far as looking at them tells. */
export interface TargetFacts {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The finite values, ascending. */
  readonly sorted: Float64Array;
  /** The finite values in columns: those of each position on axis 1, or all of them where there is no such axis. */
  readonly columns: readonly Float64Array[];
  /** Values that are NaN or infinite. */
  readonly missing: number;
  /** The distinct values, ascending, with how often each occurs. */
  readonly distinct: ReadonlyMap<number, number>;
  readonly integers: boolean;
  readonly min: number;
  readonly max: number;
  /** Rows of several numbers, `[N, C]` with C of at least 2: what they add up to, if all do to the same. */
  readonly rowTotal: number | undefined;
}

/** Reads and counts targets. */
export function factsOf(targets: Tensor): TargetFacts {
  if (!isTensor(targets)) {
    fail("invalid-argument", "suggestLoss: targets must be a tensor. Wrap them: tensor(values)");
  }
  const { shape, dtype } = targets;
  const data = targets.data();
  const finite = Float64Array.from(data).filter(Number.isFinite);
  if (finite.length === 0) {
    fail(
      "invalid-argument",
      `suggestLoss: there are no targets to look at: ${data.length} values, none finite`,
    );
  }
  const width = shape.length === 2 ? (shape[1] as number) : 1;
  const columns = Array.from({ length: width }, (_, c) =>
    Float64Array.from({ length: data.length / width }, (_, row) => data[row * width + c] as number)
      .filter(Number.isFinite)
      .sort(),
  );
  const sorted = finite.slice().sort();
  const distinct = new Map<number, number>();
  for (const value of sorted) distinct.set(value, (distinct.get(value) ?? 0) + 1);
  return {
    shape,
    dtype,
    sorted,
    columns,
    missing: data.length - finite.length,
    distinct,
    integers: finite.every(Number.isInteger),
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    rowTotal: width < 2 ? undefined : commonTotal(data, width),
  };
}

function commonTotal(data: ArrayLike<number>, width: number): number | undefined {
  let common: number | undefined;
  for (let start = 0; start < data.length; start += width) {
    let total = 0;
    for (let c = 0; c < width; c++) total += data[start + c] as number;
    common ??= total;
    if (!(Math.abs(total - common) <= 1e-4 * Math.max(1, Math.abs(common)))) return undefined;
  }
  return common;
}

/** The share of values that are exactly `value`. */
export function shareOf(value: number, { distinct, sorted }: TargetFacts): number {
  return (distinct.get(value) ?? 0) / sorted.length;
}

/** Whether every value is one of `values`. */
export function onlyHas(values: readonly number[], { distinct }: TargetFacts): boolean {
  return [...distinct.keys()].every((value) => values.includes(value));
}

/**
 * Whether whole numbers are distributed as counts are: with one peak, thinning out above it, and close to a
 * Poisson or a negative binomial distribution of the same mean and variance. Class labels may look so by accident.
 */
export function looksLikeCounts(facts: TargetFacts): boolean {
  const { integers, min, max, sorted, distinct } = facts;
  if (!integers || min < 0 || max > 1000 || distinct.size < 4) return false;
  const n = sorted.length;
  const { mean, variance } = momentsOf(sorted);
  // Counts that never come near 0 vary little more than Poisson's.
  if (min > 1 && variance > 3 * mean) return false;
  const frequency = Array.from({ length: max + 1 }, (_, k) => (distinct.get(k) ?? 0) / n);
  const peak = Math.max(...frequency);
  const top = frequency.slice(Math.floor(0.75 * frequency.length));
  if (Math.max(...top) > 0.25 * peak) return false;
  const distance = distanceToCounts(frequency, sorted);
  return distance < (distinct.size === 4 ? 0.03 : 0.1);
}

/** The greatest difference of the distribution functions. */
function distanceToCounts(frequency: readonly number[], sorted: Float64Array): number {
  const { mean, variance } = momentsOf(sorted);
  // Negative binomial: r failures, success probability p; its limit for a variance of the mean is Poisson's.
  const spread = variance > 1.02 * mean;
  const r = spread ? (mean * mean) / (variance - mean) : Number.POSITIVE_INFINITY;
  const p = spread ? mean / variance : 1;
  let term = spread ? p ** r : Math.exp(-mean);
  let [theirs, ours, distance] = [0, 0, 0];
  frequency.forEach((share, k) => {
    theirs += term;
    ours += share;
    distance = Math.max(distance, Math.abs(theirs - ours));
    term *= spread ? ((r + k) * (1 - p)) / (k + 1) : mean / (k + 1);
  });
  return distance;
}

export function momentsOf(values: ArrayLike<number>): { readonly mean: number; readonly variance: number } {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += (values[i] as number) / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += ((values[i] as number) - mean) ** 2 / Math.max(1, n - 1);
  return { mean, variance };
}
