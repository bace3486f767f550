import { fail } from "@gradus/core";
import type { Callback } from "./callback.js";
import { Monitor, type MonitorOptions } from "./monitor.js";

export interface CheckpointOptions extends MonitorOptions {
  /** The file, which is replaced each time. */
  readonly path: string;
  /** Epochs from one writing to the next. Default 1. */
  readonly every?: number;
  /** A second file, written whenever the score is the best so far. */
  readonly keepBest?: string;
}

/**
 * Saves the run to a file, again and again and when the training ends, also by an error or an AbortSignal.
 *
 * @throws `invalid-argument` for options out of range or a file that cannot be written, `unsupported` where there is no file
 * system.
 *
 * @example
 * ```ts
 * import { checkpoint } from "@gradus/train";
 * const callback = checkpoint({ path: "digits.gradus", every: 5, keepBest: "digits-best.gradus" });
 * callback.name; // → checkpoint
 * ```
 */
export function checkpoint(options: CheckpointOptions): Callback {
  const { path, every = 1, keepBest } = options;
  if (!Number.isInteger(every) || every < 1) {
    fail("invalid-argument", `checkpoint: every must be a whole number of at least 1, got ${every}`);
  }
  for (const file of [path, keepBest ?? path]) {
    if (typeof file !== "string" || file === "") {
      fail("invalid-argument", `checkpoint: expected the path of a file, got ${JSON.stringify(file)}`);
    }
  }
  const monitor = new Monitor("checkpoint", options);
  return {
    name: "checkpoint",
    save: () => monitor.save(),
    restore: (saved) => monitor.restore(saved),
    onEpochEnd(context) {
      if (context.run.epoch % every === 0) context.save(path);
      if (keepBest !== undefined && monitor.improved(context)) context.save(keepBest);
    },
    onTrainEnd: ({ save }) => save(path),
  };
}
