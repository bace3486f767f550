import type { Backend, Buffer } from "@gradus/core";

/**
 * A buffer and how many tensors see it. Views share one; the buffer is freed when the last of them is disposed.
 *
 * Where the device's memory is garbage collected nobody need dispose anything: then a storage is ordinary garbage.
 */
export class Storage {
  private references = 1;
  /** Set once the buffer was handed to a compiled function: every tensor on it is dead. */
  donated = false;
  /** The latest call of a compiled function that got it as an argument, and which: to see that two share it. */
  lastCall = 0;
  lastArgument = 0;

  constructor(
    readonly device: Backend,
    readonly buffer: Buffer,
  ) {}

  retain(): this {
    this.references++;
    return this;
  }

  release(): void {
    this.references--;
    if (this.references === 0 && !this.donated) this.device.free(this.buffer);
  }
}
