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

/** Looks at the Hessian at `x`. */
export function* curvatureAt<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  x: Tensor,
  seed: number,
): Reading<Curvature> {
  const spectrum = yield* lanczos(problem.layout, (v) => problem.hessianTimes(x, v), seed);
  const { least, greatest } = spectrum;
  const size = Math.max(Math.abs(least), Math.abs(greatest));
  // Products carry rounding errors of this order.
  const zero = Math.max(problem.layout.epsilon ** 0.5 * 10 * size, problem.layout.epsilon ** 0.5);
  const critical =
    least > zero ? "minimum" : least >= -zero ? "flat" : greatest < -zero ? "maximum" : "saddle";
  return { ...spectrum, critical };
}
