import type { Reading } from "../problem/reading.js";
import { cubicMinimum } from "./cubic-minimum.js";
import { isUsable, type LinePoint, type Probe } from "./line-point.js";

export interface StrongWolfeOptions {
  /** Sufficient decrease: the value falls by at least this fraction of what the slope promises. Default 1e-4. */
  readonly decrease?: number;
  /** Curvature: the slope shrinks to at most this fraction. Default 0.9. */
  readonly curvature?: number;
  /** A bracket in which no parameter changes by more is not searched further. Default 1e-9. */
  readonly toleranceChange?: number;
  /** Default 25. */
  readonly maxEvaluations?: number;
  /** No step is longer; one of this length needs only decrease enough. Default: without end. */
  readonly maxStep?: number;
}

/**
 * A step length that meets the strong Wolfe conditions: brackets one by extrapolation, then narrows the bracket by cubic
 * interpolation.
 *
 * The result is the best point found; it is `start` if none was better. Where the function is not finite is taken as
 * too far.
 *
 * @param first the first step to try
 * @param length the greatest absolute value in the direction
 *
 * Source: PyTorch's L-BFGS (`_strong_wolfe`); Nocedal and Wright, "Numerical Optimization", algorithms 3.5 and 3.6.
 */
export function* strongWolfe<Point extends LinePoint>(
  probe: Probe<Point>,
  start: Point,
  first: number,
  length: number,
  options: StrongWolfeOptions = {},
): Reading<Point> {
  const { decrease = 1e-4, curvature = 0.9, toleranceChange = 1e-9, maxEvaluations = 25 } = options;
  const { maxStep = Infinity } = options;
  const tooHigh = (at: Point): boolean => !(at.value <= start.value + decrease * at.step * start.slope);
  const flatEnough = (at: Point): boolean => Math.abs(at.slope) <= -curvature * start.slope;
  const evaluate = function* (step: number): Reading<Point> {
    const at = yield* probe(step);
    return isUsable(at) ? at : { ...at, value: Infinity };
  };

  let previous = start;
  let current = yield* evaluate(first);
  let evaluations = 0;
  let bracket: [Point, Point] | undefined;
  while (evaluations < maxEvaluations) {
    if (tooHigh(current) || (evaluations > 1 && current.value >= previous.value)) {
      bracket = [previous, current];
      break;
    }
    if (flatEnough(current)) return current;
    if (current.slope >= 0) {
      bracket = [previous, current];
      break;
    }
    const { step } = current;
    if (step >= maxStep) return current;
    const [least, most] = [step + 0.01 * (step - previous.step), step * 10];
    const next = Math.min(cubicMinimum(previous, current, least, most), maxStep);
    previous = current;
    current = yield* evaluate(next);
    evaluations++;
  }
  bracket ??= [start, current];

  let best = bracket[0].value <= bracket[1].value ? 0 : 1;
  let narrow = false;
  while (evaluations < maxEvaluations) {
    const [low, high] = [bracket[0].step, bracket[1].step].sort((a, b) => a - b) as [number, number];
    if ((high - low) * length < toleranceChange) break;
    let step = cubicMinimum(bracket[0], bracket[1]);
    // A step close to an end twice running is moved away from it.
    const margin = 0.1 * (high - low);
    if (Math.min(high - step, step - low) < margin) {
      if (narrow || step >= high || step <= low) {
        step = Math.abs(step - high) < Math.abs(step - low) ? high - margin : low + margin;
        narrow = false;
      } else {
        narrow = true;
      }
    } else {
      narrow = false;
    }
    current = yield* evaluate(step);
    evaluations++;
    const [good, bad] = [bracket[best], bracket[1 - best]] as [Point, Point];
    if (tooHigh(current) || current.value >= good.value) {
      bracket[1 - best] = current;
      best = bracket[0].value <= bracket[1].value ? 0 : 1;
    } else {
      if (flatEnough(current)) return current;
      if (current.slope * (bad.step - good.step) >= 0) bracket[1 - best] = good;
      bracket[best] = current;
    }
  }
  return bracket[best] as Point;
}
