import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";
import { subtractRow } from "./solve.js";

/**
 * A `host` native: sizes = [batch, n, m]; inputs: matrices A [batch, n, n], of which one triangle is read, and B [batch, n, m];
 * output: X with A X = B. With `unit` the diagonal counts as ones. Computed in float64; a zero on the diagonal divides.
 */
export function hostTriangularSolve(upper: boolean, unit: boolean): HostFunction {
  return (buffers, sizes) => {
    const [matrices, right, out] = buffers as [TypedArray, TypedArray, TypedArray];
    const [batch, n, m] = sizes as [number, number, number];
    const x = new Float64Array(n * m);
    for (let b = 0; b < batch; b++) {
      const start = b * n * n;
      for (let i = 0; i < n * m; i++) x[i] = right[b * n * m + i] as number;
      for (let step = 0; step < n; step++) {
        const i = upper ? n - 1 - step : step;
        const [first, end] = upper ? [i + 1, n] : [0, i];
        for (let k = first; k < end; k++) subtractRow(x, i, k, matrices[start + i * n + k] as number, m);
        if (unit) continue;
        const pivot = matrices[start + i * n + i] as number;
        for (let j = 0; j < m; j++) x[i * m + j] = (x[i * m + j] as number) / pivot;
      }
      out.set(x, b * n * m);
    }
    return undefined;
  };
}
