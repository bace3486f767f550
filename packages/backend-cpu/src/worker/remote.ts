import { type Buffer, type Executable, fail, type Kernel } from "@gradus/core";
import type { Block } from "../memory/allocator.js";
import type { Program } from "../program.js";
import { programOf } from "../program-of.js";

/** A buffer in the worker's memory. */
export class RemoteBuffer implements Buffer {
  isReleased = false;

  constructor(
    readonly bytes: number,
    readonly block: Block,
    readonly owner: object,
  ) {}

  checkRange(what: string, at: number, bytes: number): void {
    if (at >= 0 && bytes >= 0 && at + bytes <= this.bytes) return;
    fail(
      "invalid-argument",
      `${what}: bytes ${at} to ${at + bytes} are not within the buffer, which has ${this.bytes} bytes`,
    );
  }
}

/** A kernel whose code runs in the worker. */
export class RemoteKernel implements Executable {
  readonly program: Program;
  /** The same on this thread's device, where the worker cannot run it. */
  local: Executable | undefined;

  constructor(
    readonly kernel: Kernel,
    readonly owner: object,
    /** Its number in messages. */
    readonly id: number,
  ) {
    this.program = programOf(kernel);
  }
}
