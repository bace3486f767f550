import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";

/**
 * A `host` native: sizes = [batch, m, n]; input: matrices [batch, m, n]; outputs: U [batch, m, k], S [batch, k] descending, V^T [batch,
 * k, n] with U diag(S) V^T = A, k = min(m, n). By one-sided Jacobi rotations, in float64: small singular values are as exact
 * as large ones. The greatest element of each column of U is positive.
 */
export const hostSvd: HostFunction = (buffers, sizes) => {
  const [source, outU, outS, outV] = buffers as [TypedArray, TypedArray, TypedArray, TypedArray];
  const [batch, m, n] = sizes as [number, number, number];
  const k = Math.min(m, n);
  for (let b = 0; b < batch; b++) {
    const { u, s, v } = decompose(source, m, n, b * m * n);
    outS.set(s, b * k);
    for (let i = 0; i < k; i++) {
      const sign = signOf(u.subarray(i * m, (i + 1) * m));
      for (let j = 0; j < m; j++) outU[b * m * k + j * k + i] = sign * (u[i * m + j] as number);
      for (let j = 0; j < n; j++) outV[(b * k + i) * n + j] = sign * (v[i * n + j] as number);
    }
  }
  return undefined;
};

/** Singular vectors as rows: u is [k, m], v is [k, n]. */
interface Decomposition {
  readonly u: Float64Array;
  readonly s: Float64Array;
  readonly v: Float64Array;
}

const MAX_SWEEPS = 60;

export function decompose(source: ArrayLike<number>, m: number, n: number, start = 0): Decomposition {
  if (m < n) {
    const transposed = Float64Array.from(
      { length: m * n },
      (_, i) => source[start + (i % m) * n + Math.floor(i / m)] as number,
    );
    const { u, s, v } = decompose(transposed, n, m);
    return { u: v, s, v: u };
  }
  // Columns of A as rows, made orthogonal by rotations; v collects the rotations.
  const columns = Float64Array.from(
    { length: n * m },
    (_, i) => source[start + (i % m) * n + Math.floor(i / m)] as number,
  );
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotated = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const [alpha, beta] = [dot(columns, p, p, m), dot(columns, q, q, m)];
        const gamma = dot(columns, p, q, m);
        if (!(Math.abs(gamma) > 1e-15 * Math.sqrt(alpha * beta))) continue;
        rotated = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, t);
        rotate(columns, p, q, m, cosine, cosine * t);
        rotate(v, p, q, n, cosine, cosine * t);
      }
    }
    if (!rotated) break;
  }
  return inOrder(columns, v, m, n);
}

/** Norms of the rows as singular values, the greatest first, and unit vectors. */
function inOrder(columns: Float64Array, rotations: Float64Array, m: number, n: number): Decomposition {
  const norms = Float64Array.from({ length: n }, (_, i) =>
    Math.hypot(...columns.subarray(i * m, (i + 1) * m)),
  );
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (norms[b] as number) - (norms[a] as number),
  );
  const s = Float64Array.from(order, (i) => norms[i] as number);
  const u = new Float64Array(n * m);
  const v = new Float64Array(n * n);
  const least = (s[0] ?? 0) * Number.EPSILON * m;
  order.forEach((from, i) => {
    const norm = norms[from] as number;
    const row = u.subarray(i * m, (i + 1) * m);
    if (norm > least) row.set(columns.subarray(from * m, (from + 1) * m).map((x) => x / norm));
    else complete(u, i, m);
    v.set(rotations.subarray(from * n, (from + 1) * n), i * n);
  });
  return { u, s, v };
}

/** A unit vector as row `i`, orthogonal to the rows before it. */
function complete(u: Float64Array, i: number, m: number): void {
  const row = u.subarray(i * m, (i + 1) * m);
  for (let axis = 0; axis < m; axis++) {
    row.fill(0);
    row[axis] = 1;
    for (let round = 0; round < 2; round++) {
      for (let k = 0; k < i; k++) {
        const share = dot(u, i, k, m);
        for (let j = 0; j < m; j++) row[j] = (row[j] as number) - share * (u[k * m + j] as number);
      }
    }
    const norm = Math.hypot(...row);
    if (norm > 0.5 / Math.sqrt(m)) {
      for (let j = 0; j < m; j++) row[j] = (row[j] as number) / norm;
      return;
    }
  }
}

/** The sign of the element that is greatest in size. */
export function signOf(row: Float64Array): number {
  let best = 0;
  for (const x of row) if (Math.abs(x) > Math.abs(best) * (1 + 1e-9)) best = x;
  return best < 0 ? -1 : 1;
}

function dot(rows: Float64Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let j = 0; j < length; j++) sum += (rows[a * length + j] as number) * (rows[b * length + j] as number);
  return sum;
}

/** Rows p and q turned by an angle, in place. */
function rotate(
  rows: Float64Array,
  p: number,
  q: number,
  length: number,
  cosine: number,
  sine: number,
): void {
  for (let j = 0; j < length; j++) {
    const [x, y] = [rows[p * length + j] as number, rows[q * length + j] as number];
    rows[p * length + j] = cosine * x - sine * y;
    rows[q * length + j] = sine * x + cosine * y;
  }
}
