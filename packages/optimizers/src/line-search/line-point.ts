import type { Reading } from "../problem/reading.js";

/** A function of the step length along a line, at one step. */
export interface LinePoint {
  readonly step: number;
  readonly value: number;
  /** The derivative along the line. */
  readonly slope: number;
}

/** Evaluates at a step length. What comes with the value (a gradient) comes back with the point that is chosen. */
export type Probe<Point extends LinePoint> = (step: number) => Reading<Point>;

/** Whether a point may be accepted at all. */
export function isUsable({ value, slope }: LinePoint): boolean {
  return Number.isFinite(value) && Number.isFinite(slope);
}
