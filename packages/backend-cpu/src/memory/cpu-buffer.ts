import { type Buffer, fail } from "@gradus/core";
import type { Block } from "./allocator.js";
import type { Residency } from "./residency.js";

let nextId = 1;

/**
 * Memory of the device: an ordinary array, which the garbage collector takes with the buffer, or a copy of it where
 * generated code works, or both. At least one of the two is current, unless nothing was ever written.
 */
export class CpuBuffer implements Buffer {
  /** Another one when the buffer is freed: what was checked for an id stays true as long as the buffer has it. */
  id = nextId++;
  isReleased = false;
  array: Int32Array<ArrayBuffer> | undefined;
  /** Where it begins in the array, in words: small buffers share arrays. */
  start = 0;
  isArrayCurrent = false;
  /** The copy in the linear memory, and where it begins. */
  block: Block | undefined;
  address = 0;
  isCopyCurrent = false;
  /** Whether it stays in the linear memory until it is freed. */
  isKept = false;
  /** Which launch, or for small ones which run, placed it last. */
  stamp = 0;
  /** The neighbours among the copies that may be given up, in the order of their last use. */
  older: CpuBuffer | undefined;
  newer: CpuBuffer | undefined;

  constructor(
    readonly bytes: number,
    readonly owner: Residency,
  ) {}

  checkRange(what: string, at: number, bytes: number): void {
    if (at >= 0 && bytes >= 0 && at + bytes <= this.bytes) return;
    fail(
      "invalid-argument",
      `${what}: bytes ${at} to ${at + bytes} are not within the buffer, which has ${this.bytes} bytes`,
    );
  }

  release(): void {
    this.id = nextId++;
    this.isReleased = true;
    this.array = undefined;
    this.block = undefined;
  }
}
