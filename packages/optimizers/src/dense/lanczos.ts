import type { Tensor } from "@gradus/core";
import type { FlatLayout } from "../problem/flat-layout.js";
import { numbersOf, type Reading } from "../problem/reading.js";
import { symmetricEigen } from "./symmetric-eigen.js";
import { dot, norm } from "./vectors.js";

/** The ends of a symmetric matrix's spectrum. */
export interface Spectrum {
  readonly least: number;
  readonly greatest: number;
  /** A unit vector of the least eigenvalue. */
  readonly lowest: Float64Array;
}

/**
 * The least and greatest eigenvalues of a matrix that is known by its products, by Lanczos' method with full
 * reorthogonalization, from a random vector. Exact for as many iterations as the matrix has distinct eigenvalues; with fewer,
 * the ends come out first.
 *
 * Source: Golub and Van Loan, "Matrix Computations", section 10.1.
 */
export function* lanczos<P>(
  layout: FlatLayout<P>,
  product: (vector: Tensor) => Tensor,
  seed: number,
  most = 40,
): Reading<Spectrum> {
  const { size, engine, device, epsilon } = layout;
  const random = yield* numbersOf(engine.scope(() => engine.key(seed, { device }).normal([size])));
  const basis: Float64Array[] = [scaled(random, 1 / norm(random))];
  const diagonal: number[] = [];
  const beside: number[] = [];
  for (let k = 0; ; k++) {
    const v = basis[k] as Float64Array;
    const w = yield* numbersOf(product(layout.vector(v)));
    diagonal.push(dot(v, w));
    if (k + 1 >= Math.min(most, size)) break;
    // Twice is enough for the new vector to be orthogonal to all before it.
    for (let pass = 0; pass < 2; pass++) {
      for (const u of basis) {
        const share = dot(u, w);
        for (let i = 0; i < size; i++) w[i] = (w[i] as number) - share * (u[i] as number);
      }
    }
    const length = norm(w);
    const scale = Math.max(...diagonal.map(Math.abs), ...beside, 0);
    if (!(length > 10 * epsilon * scale)) break;
    beside.push(length);
    basis.push(scaled(w, 1 / length));
  }
  const n = diagonal.length;
  const rows = diagonal.map((d, i) => {
    const row = new Float64Array(n);
    row[i] = d;
    if (i > 0) row[i - 1] = beside[i - 1] as number;
    if (i + 1 < n) row[i + 1] = beside[i] as number;
    return row;
  });
  const { values, vectors } = symmetricEigen(rows);
  const lowest = new Float64Array(size);
  (vectors[0] as Float64Array).forEach((c, k) => {
    const u = basis[k] as Float64Array;
    for (let i = 0; i < size; i++) lowest[i] = (lowest[i] as number) + c * (u[i] as number);
  });
  return { least: values[0] as number, greatest: values[n - 1] as number, lowest };
}

function scaled(v: Float64Array, factor: number): Float64Array {
  return v.map((x) => x * factor);
}
