import type { Executable, Kernel } from "@gradus/core";
import type { BoundLaunch } from "./bound-launch.js";
import { contractProgram } from "./contract.js";
import type { Cpu } from "./cpu-device.js";
import { loopProgram } from "./loop-program.js";
import { nativeProgram } from "./natives.js";
import type { Program } from "./program.js";

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
    switch (kernel.kind) {
      case "loop":
        this.program = loopProgram(kernel);
        this.axes = kernel.axes;
        break;
      case "contract": {
        const { batch, m, n, k } = kernel.groups;
        this.program = contractProgram(kernel);
        this.axes = batch + m + n + k;
        break;
      }
      case "native":
        this.program = nativeProgram(kernel);
        break;
    }
  }
}
