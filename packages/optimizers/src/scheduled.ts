import type { Scalar, Schedule } from "@gradus/core";
import { scheduleAt } from "./schedule-at.js";

/** A schedule as an operand of tensors: a number stays one, so that kernels see a constant. */
export function scheduled(schedule: Schedule, step: Scalar): Scalar | number {
  return typeof schedule === "function" ? step.map((t) => scheduleAt(schedule, t)) : schedule;
}
