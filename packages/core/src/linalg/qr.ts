import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";

/**
 * A `host` native: sizes = [batch, m, n, k]; input: matrices [batch, m, n]; outputs: Q [batch, m, k] with orthonormal columns and R
 * [batch, k, n], upper triangular, Q R = A. k is min(m, n), or m for all of Q. By Householder's reflections, with LAPACK's
 * signs: a diagonal element of R has the opposite sign of what it replaces. Computed in float64.
 */
export const hostQr: HostFunction = (buffers, sizes) => {
  const [source, outQ, outR] = buffers as [TypedArray, TypedArray, TypedArray];
  const [batch, m, n, k] = sizes as [number, number, number, number];
  const a = new Float64Array(m * n);
  const q = new Float64Array(m * k);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < m * n; i++) a[i] = source[b * m * n + i] as number;
    const reflections: { readonly v: Float64Array; readonly tau: number }[] = [];
    for (let j = 0; j < Math.min(m, n); j++) {
      const reflection = reflectionOf(a, m, n, j);
      reflections.push(reflection);
      reflect(a, n, j, j, reflection);
    }
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < n; j++) outR[b * k * n + i * n + j] = j < i ? 0 : (a[i * n + j] as number);
    }
    q.fill(0);
    for (let i = 0; i < k; i++) q[i * k + i] = 1;
    for (let j = reflections.length - 1; j >= 0; j--) {
      reflect(q, k, j, j, reflections[j] as { v: Float64Array; tau: number });
    }
    outQ.set(q, b * m * k);
  }
  return undefined;
};

/** The reflection that clears column j below the diagonal: `I - tau v v^T`, v from row j on, its first element 1. */
function reflectionOf(a: Float64Array, m: number, n: number, j: number): { v: Float64Array; tau: number } {
  const v = Float64Array.from({ length: m - j }, (_, i) => a[(j + i) * n + j] as number);
  const alpha = v[0] as number;
  const below = Math.hypot(...v.subarray(1));
  v[0] = 1;
  if (below === 0) return { v: v.fill(0, 1), tau: 0 };
  const beta = alpha >= 0 ? -Math.hypot(alpha, below) : Math.hypot(alpha, below);
  for (let i = 1; i < v.length; i++) v[i] = (v[i] as number) / (alpha - beta);
  return { v, tau: (beta - alpha) / beta };
}

/** Applies a reflection to the rows from `row` on of the columns from `column` on. */
function reflect(
  a: Float64Array,
  n: number,
  row: number,
  column: number,
  { v, tau }: { readonly v: Float64Array; readonly tau: number },
): void {
  if (tau === 0) return;
  for (let j = column; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < v.length; i++) sum += (v[i] as number) * (a[(row + i) * n + j] as number);
    sum *= tau;
    for (let i = 0; i < v.length; i++) {
      const at = (row + i) * n + j;
      a[at] = (a[at] as number) - sum * (v[i] as number);
    }
  }
}
