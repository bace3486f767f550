import type { Schedule } from "@gradus/core";
import { checkCount, checkSchedule } from "./check-options.js";
import { scheduleAt } from "./schedule-at.js";

/**
 * A schedule after a linear warm-up: `s(0) (t + 1) / (steps + 1)` for the first `steps` updates, then `s(t - steps)`.
 *
 * @throws `invalid-argument` for a negative number as schedule, and unless `steps` is a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { exponential, warmup } from "@gradus/optimizers";
 * const rate = warmup(exponential({ from: 0.1, gamma: 0.5 }), 3);
 * rate(0); // → 0.025
 * rate(3); // → 0.1
 * rate(4); // → 0.05
 * ```
 */
export function warmup(schedule: Schedule, steps: number): (step: number) => number {
  checkSchedule("warmup", "schedule", schedule);
  checkCount("warmup", "steps", steps, 0);
  return (step) =>
    step < steps ? (scheduleAt(schedule, 0) * (step + 1)) / (steps + 1) : scheduleAt(schedule, step - steps);
}
