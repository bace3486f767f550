import type { Executable, Kernel } from "@gradus/core";
import type { GpuProgram } from "./work.js";

/** A kernel, ready to be launched. */
export class Compiled implements Executable {
  constructor(
    /** Tells it from others of its device. */
    readonly id: number,
    readonly kernel: Kernel,
    readonly program: GpuProgram,
    readonly owner: object,
  ) {}

  leavesDevice(sizes: readonly number[]): boolean {
    return this.program.isOnHost?.(sizes) ?? false;
  }
}
