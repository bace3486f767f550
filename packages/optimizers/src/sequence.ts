import { fail, type Schedule } from "@gradus/core";
import { checkMilestones, checkSchedule } from "./check-options.js";
import { scheduleAt } from "./schedule-at.js";

/**
 * Schedules one after the other, each with steps of its own that begin at 0.
 *
 * @param milestones The steps at which the second one begins, the third one, and so on.
 * @throws `invalid-argument` unless there is one milestone fewer than schedules, and they are whole numbers above 0 that
 * rise.
 *
 * Source: PyTorch's `SequentialLR`.
 *
 * @example
 * ```ts
 * import { exponential, sequence } from "@gradus/optimizers";
 * const rate = sequence([0.01, exponential({ from: 1, gamma: 0.5 })], [3]);
 * rate(2); // → 0.01
 * rate(4); // → 0.5
 * ```
 */
export function sequence(
  schedules: readonly Schedule[],
  milestones: readonly number[],
): (step: number) => number {
  if (milestones.length !== schedules.length - 1) {
    fail(
      "invalid-argument",
      `sequence: ${schedules.length} schedules need ${schedules.length - 1} milestones, got ${milestones.length}`,
    );
  }
  checkMilestones("sequence", milestones);
  for (const schedule of schedules) checkSchedule("sequence", "a schedule", schedule);
  return (step) => {
    const index = milestones.filter((milestone) => step >= milestone).length;
    return scheduleAt(schedules[index] as Schedule, step - (milestones[index - 1] ?? 0));
  };
}
