import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";
import { factorize } from "./lu.js";

/**
 * A `host` native: sizes = [batch, n, m]; inputs: square matrices A [batch, n, n] and B [batch, n, m]; output: X with A X = B.
 * Computed in float64.
 */
export const hostSolve: HostFunction = (buffers, sizes) => {
  const [matrices, right, out] = buffers as [TypedArray, TypedArray, TypedArray];
  const [batch, n, m] = sizes as [number, number, number];
  let problem: string | undefined;
  const x = new Float64Array(n * m);
  for (let b = 0; b < batch; b++) {
    const { lu, order } = factorize(matrices, n, b * n * n);
    for (let i = 0; i < n; i++) {
      if (lu[i * n + i] === 0) problem ??= `solve: matrix ${b} is singular`;
    }
    for (let i = 0; i < n; i++) {
      const from = b * n * m + (order[i] as number) * m;
      for (let j = 0; j < m; j++) x[i * m + j] = right[from + j] as number;
      for (let k = 0; k < i; k++) subtractRow(x, i, k, lu[i * n + k] as number, m);
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) subtractRow(x, i, k, lu[i * n + k] as number, m);
      const pivot = lu[i * n + i] as number;
      for (let j = 0; j < m; j++) x[i * m + j] = (x[i * m + j] as number) / pivot;
    }
    out.set(x, b * n * m);
  }
  return problem;
};

/** Row i of x less a multiple of row k. */
export function subtractRow(x: Float64Array, i: number, k: number, factor: number, m: number): void {
  if (factor === 0) return;
  for (let j = 0; j < m; j++) x[i * m + j] = (x[i * m + j] as number) - factor * (x[k * m + j] as number);
}
