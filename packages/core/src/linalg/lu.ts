/** Rows of a square matrix in one array, and what is known of them. */
export interface Factors {
  /** U on and above the diagonal, L (whose diagonal is 1) below. */
  readonly lu: Float64Array;
  /** Which row of the matrix each row is. */
  readonly order: Int32Array;
  /** 1 or -1: whether an even or an odd number of rows was swapped. */
  readonly parity: number;
}

/** `P A = L U` with partial pivoting: the row of the greatest element first. */
export function factorize(matrix: ArrayLike<number>, n: number, start = 0): Factors {
  const lu = new Float64Array(n * n);
  for (let i = 0; i < n * n; i++) lu[i] = matrix[start + i] as number;
  const order = Int32Array.from({ length: n }, (_, i) => i);
  let parity = 1;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) {
      if (Math.abs(lu[i * n + k] as number) > Math.abs(lu[best * n + k] as number)) best = i;
    }
    if (best !== k) {
      parity = -parity;
      const row = lu.slice(k * n, (k + 1) * n);
      lu.copyWithin(k * n, best * n, (best + 1) * n);
      lu.set(row, best * n);
      const other = order[k] as number;
      order[k] = order[best] as number;
      order[best] = other;
    }
    const pivot = lu[k * n + k] as number;
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const factor = (lu[i * n + k] as number) / pivot;
      lu[i * n + k] = factor;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) {
        lu[i * n + j] = (lu[i * n + j] as number) - factor * (lu[k * n + j] as number);
      }
    }
  }
  return { lu, order, parity };
}
