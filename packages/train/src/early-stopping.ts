import { fail } from "@gradus/core";
import type { Callback } from "./callback.js";
import { Monitor, type MonitorOptions } from "./monitor.js";

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which the training ends. Default 5. */
  readonly patience?: number;
  /** Predict with the best epoch's parameters when the training has ended (unless it was aborted). Default true. */
  readonly restoreBest?: boolean;
}

/**
 * Ends the training when a score has not become better for `patience` epochs, and keeps the parameters of the best one.
 *
 * @throws `invalid-argument` for options out of range and (at the end of the first epoch) a score that there is not.
 *
 * @example
 * ```ts
 * import { earlyStopping } from "@gradus/train";
 * const callback = earlyStopping({ monitor: "validation accuracy", mode: "max", patience: 3 });
 * callback.name; // → earlyStopping
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { patience = 5, restoreBest = true } = options;
  if (!Number.isInteger(patience) || patience < 1) {
    fail("invalid-argument", `earlyStopping: patience must be a whole number of at least 1, got ${patience}`);
  }
  const monitor = new Monitor("earlyStopping", options);
  let waited = 0;
  return {
    name: "earlyStopping",
    save: () => ({ best: monitor.save(), waited }),
    restore(saved) {
      const { best, waited: before } = (saved ?? {}) as {
        readonly best?: number | null;
        readonly waited?: number;
      };
      monitor.restore(best);
      waited = before ?? 0;
    },
    onTrainBegin({ stop }) {
      if (waited >= patience) stop();
    },
    async onEpochEnd(context) {
      if (monitor.improved(context)) {
        waited = 0;
        if (restoreBest) await context.keepBest();
        return;
      }
      waited++;
      if (waited >= patience) context.stop();
    },
    onTrainEnd({ run, restoreBest: restore }) {
      if (restoreBest && (run.stopped === "early-stopping" || run.stopped === "finished")) restore();
    },
  };
}
