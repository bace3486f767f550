/** Vectors of the host, in float64: for methods that solve small dense systems. */

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

export function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

/** The greatest absolute value. */
export function greatest(a: Float64Array): number {
  return a.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
}

/** A matrix, given by its rows, times a vector. */
export function times(rows: readonly Float64Array[], v: Float64Array): Float64Array {
  return Float64Array.from(rows, (row) => dot(row, v));
}

/** The rows of a square matrix that lies row after row. */
export function rowsOf(flat: Float64Array, n: number): Float64Array[] {
  return Array.from({ length: n }, (_, i) => flat.subarray(i * n, (i + 1) * n));
}
