import { type GradusError, type Kernel, launchError } from "@gradus/core";
import type { Compiled } from "./compiled.js";

/** Numbers of checks count down, so that the greatest one is the first. */
const LAST_CHECK = 0xffffffff;
const MAX_LAUNCHES = 4096;

/** Launches with checks since the last read that reported them, by their number. */
export class LaunchedChecks {
  private launches: {
    readonly first: number;
    readonly kernel: Kernel;
    readonly messages: readonly string[];
  }[] = [];
  private next = LAST_CHECK;

  /** The number of a launch's first check; the others follow downwards. */
  number({ kernel, program }: Compiled): number {
    const { messages } = program;
    if (this.launches.length >= MAX_LAUNCHES) {
      // So many without a read: the late ones share a number a kernel.
      const known = this.launches.find((one) => one.kernel === kernel);
      if (known !== undefined) return known.first;
    }
    const first = this.next;
    this.next -= messages.length;
    this.launches.push({ first, kernel, messages });
    return first;
  }

  /** What makes an error of the number that a check left, for the launches until now; undefined if there were none. */
  take(): ((failed: number) => GradusError | undefined) | undefined {
    const { launches } = this;
    this.launches = [];
    this.next = LAST_CHECK;
    if (launches.length === 0) return undefined;
    return (failed) => {
      if (failed === 0) return undefined;
      for (const { first, kernel, messages } of launches) {
        const message = messages[first - failed];
        if (failed <= first && message !== undefined) return launchError(kernel, message);
      }
      return undefined;
    };
  }
}
