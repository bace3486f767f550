import type { Executable, Kernel } from "@gradus/core";
import type { BoundLaunch } from "./bound-launch.js";
import type { Cpu } from "./cpu-device.js";
import type { Program } from "./program.js";
import { axesOf, programOf } from "./program-of.js";

/** A kernel of this device. */
export class Compiled implements Executable {
  readonly program: Program;
  /** How many sizes a launch must bring; undefined where the native decides. */
  readonly axes: number | undefined;
  /** What is said of memory that it wrote. */
  readonly label: string;
  /** For launches that are not passed twice. */
  once: BoundLaunch | undefined;

  constructor(
    readonly kernel: Kernel,
    readonly owner: Cpu,
  ) {
    this.label = `written by "${kernel.name}"`;
    this.program = programOf(kernel);
    this.axes = axesOf(kernel);
  }
}
