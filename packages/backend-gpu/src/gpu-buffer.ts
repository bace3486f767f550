import { type Buffer, fail } from "@gradus/core";
import type { Resource } from "./pool.js";

/** A buffer on the device, until it is freed. */
export class GpuBuffer implements Buffer {
  private held: Resource | undefined;

  constructor(
    readonly bytes: number,
    /** The device that it belongs to. */
    readonly owner: object,
    resource: Resource,
  ) {
    this.held = resource;
  }

  get resource(): Resource {
    return this.held ?? fail("disposed", "this buffer was freed: its memory is gone");
  }

  get isReleased(): boolean {
    return this.held === undefined;
  }

  release(): Resource {
    const { resource } = this;
    this.held = undefined;
    return resource;
  }

  checkRange(what: string, at: number, bytes: number): void {
    if (at >= 0 && bytes >= 0 && at + bytes <= this.bytes) return;
    fail(
      "invalid-argument",
      `${what}: bytes ${at} to ${at + bytes} are not within the buffer, which has ${this.bytes} bytes`,
    );
  }
}
