import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";
import { signOf } from "./svd.js";

/**
 * A `host` native: sizes = [batch, n]; input: symmetric matrices, of which the lower triangle is read; outputs: eigenvalues
 * [batch, n], ascending, and eigenvectors [batch, n, n] in the columns, the greatest element of each positive. By Householder's
 * reduction to three diagonals and implicitly shifted QL steps, in float64.
 */
export const hostEigh: HostFunction = (buffers, sizes) => {
  const [source, values, vectors] = buffers as [TypedArray, TypedArray, TypedArray];
  const [batch, n] = sizes as [number, number];
  let problem: string | undefined;
  for (let b = 0; b < batch; b++) {
    const start = b * n * n;
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        a[i * n + j] = source[start + i * n + j] as number;
        a[j * n + i] = a[i * n + j] as number;
      }
    }
    const { basis, diagonal, beside } = tridiagonal(a, n);
    if (!diagonalize(basis, diagonal, beside, n)) problem ??= `eigh: matrix ${b} did not converge`;
    const order = Array.from({ length: n }, (_, i) => i).sort(
      (i, j) => (diagonal[i] as number) - (diagonal[j] as number),
    );
    order.forEach((from, k) => {
      const row = basis.subarray(from * n, (from + 1) * n);
      const sign = signOf(row);
      values[b * n + k] = diagonal[from] as number;
      for (let i = 0; i < n; i++) vectors[start + i * n + k] = sign * (row[i] as number);
    });
  }
  return problem;
};

interface Tridiagonal {
  /** Q^T with A = Q T Q^T: a basis vector in each row. */
  readonly basis: Float64Array;
  readonly diagonal: Float64Array;
  /** The elements beside the diagonal, between i and i + 1. */
  readonly beside: Float64Array;
}

/** Reflections from both sides clear each column below its second diagonal. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let below = 0;
    for (let i = k + 2; i < n; i++) below = Math.hypot(below, a[i * n + k] as number);
    if (below === 0) continue;
    const alpha = a[(k + 1) * n + k] as number;
    const beta = alpha >= 0 ? -Math.hypot(alpha, below) : Math.hypot(alpha, below);
    v.fill(0, 0, k + 1);
    v[k + 1] = 1;
    for (let i = k + 2; i < n; i++) v[i] = (a[i * n + k] as number) / (alpha - beta);
    const tau = (beta - alpha) / beta;
    // A becomes H A H = A - v w^T - w v^T, w = tau (A v - (tau / 2) (v^T A v) v).
    let inner = 0;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += (a[i * n + j] as number) * (v[j] as number);
      p[i] = tau * sum;
      inner += (p[i] as number) * (v[i] as number);
    }
    for (let i = 0; i < n; i++) p[i] = (p[i] as number) - 0.5 * tau * inner * (v[i] as number);
    for (let i = k; i < n; i++) {
      for (let j = k; j < n; j++) {
        a[i * n + j] =
          (a[i * n + j] as number) -
          (v[i] as number) * (p[j] as number) -
          (p[i] as number) * (v[j] as number);
      }
    }
    // Basis vectors are rows: Q^T becomes H Q^T.
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = k + 1; i < n; i++) sum += (v[i] as number) * (basis[i * n + j] as number);
      sum *= tau;
      for (let i = k + 1; i < n; i++) {
        basis[i * n + j] = (basis[i * n + j] as number) - sum * (v[i] as number);
      }
    }
  }
  return {
    basis,
    diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i] as number),
    beside: Float64Array.from({ length: n }, (_, i) => (i + 1 < n ? (a[(i + 1) * n + i] as number) : 0)),
  };
}

const MAX_STEPS = 60;

/** QL steps until nothing is left beside the diagonal; false if that takes too many. Rows of `basis` turn along. */
function diagonalize(basis: Float64Array, d: Float64Array, e: Float64Array, n: number): boolean {
  for (let first = 0; first < n; first++) {
    for (let step = 0; ; step++) {
      let last = first;
      while (last < n - 1) {
        const scale = Math.abs(d[last] as number) + Math.abs(d[last + 1] as number);
        if (Math.abs(e[last] as number) <= Number.EPSILON * scale) break;
        last++;
      }
      if (last === first) break;
      if (step === MAX_STEPS || Number.isNaN(d[first])) return false;
      // Wilkinson's shift: the eigenvalue of the leading 2 x 2 block that is closer to its first element.
      const slope = ((d[first + 1] as number) - (d[first] as number)) / (2 * (e[first] as number));
      const root = Math.hypot(slope, 1);
      let g =
        (d[last] as number) -
        (d[first] as number) +
        (e[first] as number) / (slope + (slope >= 0 ? root : -root));
      let [sine, cosine, shift] = [1, 1, 0];
      let cut = false;
      for (let i = last - 1; i >= first; i--) {
        const f = sine * (e[i] as number);
        const h = cosine * (e[i] as number);
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = (d[i + 1] as number) - shift;
          e[last] = 0;
          cut = true;
          break;
        }
        sine = f / r;
        cosine = g / r;
        const before = (d[i + 1] as number) - shift;
        const turn = ((d[i] as number) - before) * sine + 2 * cosine * h;
        shift = sine * turn;
        d[i + 1] = before + shift;
        g = cosine * turn - h;
        for (let j = 0; j < n; j++) {
          const [x, y] = [basis[i * n + j] as number, basis[(i + 1) * n + j] as number];
          basis[(i + 1) * n + j] = sine * x + cosine * y;
          basis[i * n + j] = cosine * x - sine * y;
        }
      }
      if (cut) continue;
      d[first] = (d[first] as number) - shift;
      e[first] = g;
      e[last] = 0;
    }
  }
  return true;
}
