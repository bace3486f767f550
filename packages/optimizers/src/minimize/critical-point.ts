import type { Tensor } from "@gradus/core";
import { lanczos } from "../dense/lanczos.js";
import type { Problem } from "../problem/problem.js";
import type { Reading } from "../problem/reading.js";

/**
 * What a point is where the gradient vanishes, by the signs of the Hessian's eigenvalues: all positive; both; all
 * negative; or none negative and some zero, where the Hessian does not tell.
 */
export type CriticalPoint = "minimum" | "saddle" | "maximum" | "flat";

export interface Curvature {
  readonly critical: CriticalPoint;
  /** The least and the greatest eigenvalue of the Hessian, as far as Lanczos' method found them. */
  readonly least: number;
  readonly greatest: number;
  /** A direction of the least curvature, of length 1. */
  readonly lowest: Float64Array;
}

/** Eigenvalues of at most this size count as zero, whatever the others are. */
export const NO_CURVATURE = 1e-8;

/** Looks at the Hessian at `x`. */
export function* curvatureAt<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  x: Tensor,
  seed: number,
): Reading<Curvature> {
  const spectrum = yield* lanczos(problem.layout, (v) => problem.hessianTimes(x, v), seed);
  const { least, greatest } = spectrum;
  const size = Math.max(Math.abs(least), Math.abs(greatest));
  // Products carry rounding errors of the first order; what is left of the second is no curvature at all.
  const zero = Math.max(Math.max(100 * problem.layout.epsilon, 1e-9) * size, NO_CURVATURE);
  const critical =
    least > zero ? "minimum" : least >= -zero ? "flat" : greatest < -zero ? "maximum" : "saddle";
  return { ...spectrum, critical };
}
