import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";

/**
 * A `host` native: sizes = [batch, n]; input: symmetric matrices, of which the lower triangle is read; output: the lower
 * triangular L with L L^T = A. Computed in float64.
 */
export const hostCholesky: HostFunction = (buffers, sizes) => {
  const [source, out] = buffers as [TypedArray, TypedArray];
  const [batch, n] = sizes as [number, number];
  const lower = new Float64Array(n * n);
  let problem: string | undefined;
  for (let b = 0; b < batch; b++) {
    const start = b * n * n;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = source[start + i * n + j] as number;
        for (let k = 0; k < j; k++) sum -= (lower[i * n + k] as number) * (lower[j * n + k] as number);
        if (i !== j) lower[i * n + j] = sum / (lower[j * n + j] as number);
        else {
          if (!(sum > 0)) {
            problem ??= `cholesky: matrix ${b} is not positive definite: its leading minor of order ${i + 1} is not above 0`;
          }
          lower[i * n + i] = Math.sqrt(sum);
        }
      }
    }
    out.set(lower, start);
  }
  return problem;
};
