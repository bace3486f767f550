/**
 * The lower triangle L with `L L^T = A + shift I`, as rows; undefined unless that is positive definite.
 *
 * @param a symmetric, as rows
 */
export function cholesky(a: readonly Float64Array[], shift = 0): Float64Array[] | undefined {
  const lower: Float64Array[] = [];
  for (let i = 0; i < a.length; i++) {
    const row = new Float64Array(a.length);
    lower.push(row);
    for (let j = 0; j <= i; j++) {
      const other = lower[j] as Float64Array;
      let sum = ((a[i] as Float64Array)[j] as number) + (i === j ? shift : 0);
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number);
      if (i !== j) row[j] = sum / (other[j] as number);
      else if (sum > 0) row[i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return lower;
}

/** The solution x of `L L^T x = b`. */
export function choleskySolve(lower: readonly Float64Array[], b: Float64Array): Float64Array {
  const x = Float64Array.from(b);
  const at = (i: number, j: number): number => (lower[i] as Float64Array)[j] as number;
  for (let i = 0; i < x.length; i++) {
    let sum = x[i] as number;
    for (let k = 0; k < i; k++) sum -= at(i, k) * (x[k] as number);
    x[i] = sum / at(i, i);
  }
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let k = i + 1; k < x.length; k++) sum -= at(k, i) * (x[k] as number);
    x[i] = sum / at(i, i);
  }
  return x;
}
