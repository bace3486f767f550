/** The solution x of `A x = b`, by elimination with row exchanges; undefined if A is singular. */
export function solve(a: readonly Float64Array[], b: Float64Array): Float64Array | undefined {
  const n = b.length;
  const rows: Float64Array[] = a.map((row, i) => Float64Array.from([...row, b[i] as number]));
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) {
      if (Math.abs(rows[i]?.[k] as number) > Math.abs(rows[pivot]?.[k] as number)) pivot = i;
    }
    const top = rows[pivot] as Float64Array;
    rows[pivot] = rows[k] as Float64Array;
    rows[k] = top;
    const divisor = top[k] as number;
    if (divisor === 0 || !Number.isFinite(divisor)) return undefined;
    for (let i = k + 1; i < n; i++) {
      const row = rows[i] as Float64Array;
      const factor = (row[k] as number) / divisor;
      if (factor === 0) continue;
      for (let j = k; j <= n; j++) row[j] = (row[j] as number) - factor * (top[j] as number);
    }
  }
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const row = rows[i] as Float64Array;
    let sum = row[n] as number;
    for (let j = i + 1; j < n; j++) sum -= (row[j] as number) * (x[j] as number);
    x[i] = sum / (row[i] as number);
  }
  return x;
}
