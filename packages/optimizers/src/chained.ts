import type { Schedule } from "@gradus/core";
import { checkSchedule } from "./check-options.js";
import { scheduleAt } from "./schedule-at.js";

/**
 * The product of several schedules: one gives the value, the others are factors of it, `from: 1`.
 *
 * @throws `invalid-argument` for negative numbers.
 *
 * Source: PyTorch's `ChainedScheduler`, for schedulers that multiply.
 *
 * @example
 * ```ts
 * import { chained, constant, exponential } from "@gradus/optimizers";
 * const rate = chained(exponential({ from: 0.4, gamma: 0.5 }), constant({ from: 1, factor: 0.1, steps: 1 }));
 * rate(0); // → 0.04
 * rate(1); // → 0.2
 * ```
 */
export function chained(...schedules: readonly Schedule[]): (step: number) => number {
  for (const schedule of schedules) checkSchedule("chained", "a schedule", schedule);
  return (step) => schedules.reduce<number>((product, one) => product * scheduleAt(one, step), 1);
}
