import type { Executable, Kernel } from "@gradus/core";
import type { KernelPlans } from "./plan.js";

/** A kernel of this device. */
export class Compiled implements Executable {
  /** The same on the host, where that is what runs it. */
  onHost: Executable | undefined;

  constructor(
    readonly kernel: Kernel,
    readonly owner: object,
    /** How the card does it; undefined where only the host can. */
    readonly plans: KernelPlans | undefined,
  ) {}

  leavesDevice(sizes: readonly number[]): boolean {
    return this.plans?.isHosts(sizes) ?? true;
  }
}
