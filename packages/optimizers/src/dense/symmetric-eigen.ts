/** `A = sum over k of values[k] vectors[k] vectors[k]^T`, the values rising and the vectors orthonormal. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: readonly Float64Array[];
}

/**
 * All eigenvalues and eigenvectors of a symmetric matrix, given as rows: by reflections to three diagonals, and implicit
 * QL steps from there. O(n^3).
 *
 * Source: Golub and Van Loan, "Matrix Computations", sections 8.3.1 and 8.3.3.
 */
export function symmetricEigen(a: readonly Float64Array[]): Eigen {
  const n = a.length;
  const { diagonal, beside, basis } = tridiagonalize(a);
  diagonalize(diagonal, beside, basis);
  const order = Array.from({ length: n }, (_, k) => k).sort(
    (i, j) => (diagonal[i] as number) - (diagonal[j] as number),
  );
  return {
    values: Float64Array.from(order, (k) => diagonal[k] as number),
    vectors: order.map((k) => basis[k] as Float64Array),
  };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `beside[i]` is next to `diagonal[i]` and `diagonal[i + 1]`. */
  readonly beside: Float64Array;
  /** The basis, its vectors as rows, in which the matrix has these diagonals. */
  readonly basis: Float64Array[];
}

function tridiagonalize(matrix: readonly Float64Array[]): Tridiagonal {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const basis = identity(n);
  for (let k = 0; k < n - 2; k++) {
    // A reflection that leaves only one number below the diagonal in column k.
    const v = new Float64Array(n);
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = (a[i] as Float64Array)[k] as number;
      square += (v[i] as number) ** 2;
    }
    const head = v[k + 1] as number;
    if (square - head * head <= 0) continue;
    v[k + 1] = head + (head < 0 ? -1 : 1) * Math.sqrt(square);
    let length = 0;
    for (let i = k + 1; i < n; i++) length += (v[i] as number) ** 2;
    const factor = 2 / length;
    reflectRows(a, v, factor, k);
    for (const row of a) reflect(row, v, factor, k);
    reflectRows(basis, v, factor, k);
  }
  return {
    diagonal: Float64Array.from(a, (row, i) => row[i] as number),
    beside: Float64Array.from(a, (row, i) => (i + 1 < n ? (row[i + 1] as number) : 0)),
    basis,
  };
}

/** `row - factor <row, v> v`. */
function reflect(row: Float64Array, v: Float64Array, factor: number, k: number): void {
  let sum = 0;
  for (let i = k + 1; i < v.length; i++) sum += (row[i] as number) * (v[i] as number);
  sum *= factor;
  if (sum === 0) return;
  for (let i = k + 1; i < v.length; i++) row[i] = (row[i] as number) - sum * (v[i] as number);
}

/** The same for the columns of the matrix with these rows. */
function reflectRows(rows: readonly Float64Array[], v: Float64Array, factor: number, k: number): void {
  const n = v.length;
  const sums = new Float64Array(n);
  for (let i = k + 1; i < n; i++) {
    const row = rows[i] as Float64Array;
    for (let j = 0; j < n; j++) sums[j] = (sums[j] as number) + (v[i] as number) * (row[j] as number);
  }
  for (let i = k + 1; i < n; i++) {
    const row = rows[i] as Float64Array;
    const scale = factor * (v[i] as number);
    for (let j = 0; j < n; j++) row[j] = (row[j] as number) - scale * (sums[j] as number);
  }
}

/** Turns the basis until only the diagonal is left. */
function diagonalize(d: Float64Array, e: Float64Array, basis: Float64Array[]): void {
  const n = d.length;
  for (let low = 0; low < n; low++) {
    for (let iteration = 0; iteration < 60; iteration++) {
      let high = low;
      while (high < n - 1 && !isNegligible(d, e, high)) high++;
      if (high === low) break;
      // Wilkinson's shift, from the upper corner.
      const half = ((d[low + 1] as number) - (d[low] as number)) / (2 * (e[low] as number));
      const root = Math.hypot(half, 1);
      let g =
        (d[high] as number) - (d[low] as number) + (e[low] as number) / (half + (half < 0 ? -root : root));
      let [s, c, p] = [1, 1, 0];
      for (let i = high - 1; i >= low; i--) {
        const f = s * (e[i] as number);
        const b = c * (e[i] as number);
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = (d[i + 1] as number) - p;
          e[high] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        const q = (d[i + 1] as number) - p;
        const t = ((d[i] as number) - q) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = q + p;
        g = c * t - b;
        rotate(basis[i] as Float64Array, basis[i + 1] as Float64Array, c, s);
        if (i === low) {
          d[low] = (d[low] as number) - p;
          e[low] = g;
          e[high] = 0;
        }
      }
    }
  }
}

function isNegligible(d: Float64Array, e: Float64Array, i: number): boolean {
  const size = Math.abs(d[i] as number) + Math.abs(d[i + 1] as number);
  return Math.abs(e[i] as number) <= Number.EPSILON * size || e[i] === 0;
}

function rotate(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k] as number, b[k] as number];
    b[k] = s * x + c * y;
    a[k] = c * x - s * y;
  }
}

function identity(n: number): Float64Array[] {
  return Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(n);
    row[i] = 1;
    return row;
  });
}
