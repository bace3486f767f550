/*
 * Statistics that a few wild values do not move. All of ascending numbers.
 */

/** A quantile by linear interpolation, as NumPy's default. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return below + (above - below) * (at - Math.floor(at));
}

export function medianOf(sorted: ArrayLike<number>): number {
  return quantileOf(sorted, 0.5);
}

/**
 * The spread as a standard deviation: 1.4826 times the median absolute deviation, which for a normal distribution is its
 * sigma. Where more than half of the values are equal, 1.2533 times the mean absolute deviation.
 */
export function spreadOf(sorted: ArrayLike<number>): number {
  const median = medianOf(sorted);
  const distances = Float64Array.from({ length: sorted.length }, (_, i) =>
    Math.abs((sorted[i] as number) - median),
  ).sort();
  const mad = 1.4826 * medianOf(distances);
  if (mad > 0) return mad;
  return (1.2533 * distances.reduce((a, b) => a + b, 0)) / distances.length;
}

/**
 * How much longer the upper tail is than the lower one, from -1 to 1: `(q90 + q10 - 2 q50) / (q90 - q10)`. 0 if
 * symmetric, 0.46 of an exponential distribution.
 */
export function skewOf(sorted: ArrayLike<number>): number {
  const [low, middle, high] = [quantileOf(sorted, 0.1), medianOf(sorted), quantileOf(sorted, 0.9)];
  return high === low ? 0 : (high + low - 2 * middle) / (high - low);
}

/**
 * How heavy the tails are: `(q97.5 - q2.5) / (q75 - q25)`. 1.9 of a uniform distribution, 2.9 of a normal one, 4.3 of
 * Laplace's, 12.7 of Cauchy's.
 */
export function tailsOf(sorted: ArrayLike<number>): number {
  const middle = quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25);
  const whole = quantileOf(sorted, 0.975) - quantileOf(sorted, 0.025);
  return middle === 0 ? 0 : whole / middle;
}

/**
 * The shares of values farther than 3.5 and 10 spreads from the median.
 *
 * Source: Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993.
 */
export function outlierShares(sorted: ArrayLike<number>): {
  readonly outliers: number;
  readonly wild: number;
} {
  const [median, spread] = [medianOf(sorted), spreadOf(sorted)];
  let [outliers, wild] = [0, 0];
  if (spread === 0) return { outliers, wild };
  for (let i = 0; i < sorted.length; i++) {
    const distance = Math.abs((sorted[i] as number) - median) / spread;
    if (distance > 3.5) outliers++;
    if (distance > 10) wild++;
  }
  return { outliers: outliers / sorted.length, wild: wild / sorted.length };
}
