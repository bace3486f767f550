import { cholesky, choleskySolve } from "./cholesky.js";

/** The inverse of `A + shift I`, row after row; undefined unless that is positive definite. */
export function positiveInverse(a: readonly Float64Array[], shift: number): Float64Array | undefined {
  const lower = cholesky(a, shift);
  if (lower === undefined) return undefined;
  const n = a.length;
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const unit = new Float64Array(n);
    unit[i] = 1;
    inverse.set(choleskySolve(lower, unit), i * n);
  }
  return inverse;
}
