import { fail, type Schedule } from "@gradus/core";

/**
 * The value of a schedule at a step: the number itself, or what the function gives.
 *
 * @param step Updates done so far: 0 for the first one.
 * @throws `invalid-argument` if the schedule gives anything but a number of at least 0.
 *
 * @example
 * ```ts
 * import { scheduleAt } from "@gradus/optimizers";
 * scheduleAt(0.1, 7); // → 0.1
 * scheduleAt((step) => 0.1 / (1 + step), 1); // → 0.05
 * ```
 */
export function scheduleAt(schedule: Schedule, step: number): number {
  const value = typeof schedule === "function" ? schedule(step) : schedule;
  if (!(value >= 0 && value < Infinity)) {
    fail(
      "invalid-argument",
      `scheduleAt: the schedule gives ${String(value)} at step ${step}, not a number of at least 0`,
    );
  }
  return value;
}

/** {@link scheduleAt} of a decay: what is kept of an average, in [0, 1). */
export function decayAt(schedule: Schedule, step: number): number {
  const value = scheduleAt(schedule, step);
  if (value < 1) return value;
  return fail(
    "invalid-argument",
    `scheduleAt: the schedule of a decay gives ${value} at step ${step}, not in [0, 1)`,
  );
}
