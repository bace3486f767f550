import type { LinePoint } from "./line-point.js";

/**
 * Where the cubic through two points with these values and slopes has its minimum, kept within the bounds (by default
 * the two steps); their middle if there is none.
 */
export function cubicMinimum(
  a: LinePoint,
  b: LinePoint,
  low: number = Math.min(a.step, b.step),
  high: number = Math.max(a.step, b.step),
): number {
  const [left, right] = a.step <= b.step ? [a, b] : [b, a];
  const d1 = left.slope + right.slope - (3 * (left.value - right.value)) / (left.step - right.step);
  const d2 = Math.sqrt(d1 * d1 - left.slope * right.slope);
  const at =
    right.step - (right.step - left.step) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return Number.isFinite(at) ? Math.min(Math.max(at, low), high) : (low + high) / 2;
}
