import type { Reading } from "../problem/reading.js";
import { cubicMinimum } from "./cubic-minimum.js";
import { isUsable, type LinePoint, type Probe } from "./line-point.js";

export interface BacktrackingOptions {
  /** Sufficient decrease: the value falls by at least this fraction of what the slope promises. Default 1e-4. */
  readonly decrease?: number;
  /** Default 40. */
  readonly maxEvaluations?: number;
}

/**
 * The first of ever shorter steps that decreases the function enough (Armijo's condition). Each next step is where the
 * cubic through the start and the last one has its minimum, between 0.1 and 0.7 of the last one.
 *
 * The result is `start` if no step did. Where the function is not finite is taken as too far.
 *
 * Source: Nocedal and Wright, "Numerical Optimization", algorithm 3.1; Dennis and Schnabel, section 6.3.2.
 */
export function* backtracking<Point extends LinePoint>(
  probe: Probe<Point>,
  start: Point,
  first: number,
  options: BacktrackingOptions = {},
): Reading<Point> {
  const { decrease = 1e-4, maxEvaluations = 40 } = options;
  let step = first;
  for (let evaluations = 0; evaluations < maxEvaluations; evaluations++) {
    const at = yield* probe(step);
    if (isUsable(at) && at.value <= start.value + decrease * step * start.slope) return at;
    step = isUsable(at) ? cubicMinimum(start, at, 0.1 * step, 0.7 * step) : 0.5 * step;
  }
  return start;
}
