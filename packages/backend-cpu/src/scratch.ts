import { fail } from "@gradus/core";
import type { LoopModule } from "./emit/loop-module.js";
import type { HostBuffer } from "./host-buffer.js";

const PAGE = 65536;
/** Arguments of a call lie at the start of the memory. */
const ARGUMENTS = PAGE;
const MAX_BYTES = 2 ** 32 - PAGE;

/**
 * The memory that generated code works on. A run copies the buffers that it uses in, when they are first used, and those
 * that it wrote out, when it ends. In between they stay.
 */
export class Scratch {
  private readonly memory = new WebAssembly.Memory({ initial: 16 });
  private view = new Uint8Array(this.memory.buffer);
  private words = new Int32Array(this.memory.buffer);
  private doubles = new Float64Array(this.memory.buffer);
  private end = ARGUMENTS;
  private run = 0;
  private resident: HostBuffer[] = [];

  begin(): void {
    this.run++;
    this.end = ARGUMENTS;
  }

  /** Where a buffer lies in this run. */
  place(buffer: HostBuffer): number {
    if (buffer.run === this.run) return buffer.address;
    const address = this.reserve(buffer.bytes);
    if (buffer.isDefined) this.view.set(buffer.data, address);
    buffer.address = address;
    buffer.run = this.run;
    buffer.isWritten = false;
    this.resident.push(buffer);
    return address;
  }

  /** Copies out what was written. */
  finish(): void {
    for (const buffer of this.resident) {
      if (!buffer.isWritten) continue;
      buffer.data.set(this.view.subarray(buffer.address, buffer.address + buffer.bytes));
      buffer.isDefined = true;
    }
    this.resident = [];
  }

  /** Memory until the run ends or `release` takes it back. */
  reserve(bytes: number): number {
    const address = this.end;
    // 64 bytes: vectors at the start of a buffer do not cross a cache line.
    const end = address + Math.ceil(bytes / 64) * 64;
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.grow(missing, bytes);
    this.end = end;
    return address;
  }

  /** Gives back everything reserved since `address` was. */
  release(address: number): void {
    this.end = address;
  }

  /** A function that runs a module's code on arguments. */
  load({ bytes, imports }: LoopModule): (args: Arguments) => number {
    const { memory } = this;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      host: { ...imports, memory },
    });
    const run = exports.run as (at: number) => number;
    return ({ words, params, paramsAt }) => {
      this.words.set(words, 0);
      this.doubles.set(params, paramsAt / 8);
      return run(0);
    };
  }

  viewOf(buffer: HostBuffer): { readonly buffer: ArrayBuffer; readonly address: number } {
    return { buffer: this.memory.buffer, address: buffer.address };
  }

  fill(address: number, bytes: number): void {
    this.view.fill(0, address, address + bytes);
  }

  private grow(missing: number, bytes: number): void {
    const size = this.memory.buffer.byteLength;
    // By half of what there is, so that a program that grows bit by bit does not copy each time.
    const wanted = Math.min(MAX_BYTES, size + Math.max(missing, size / 2));
    const attempt = (to: number): boolean => {
      try {
        this.memory.grow(Math.ceil((to - size) / PAGE));
        return true;
      } catch {
        return false;
      }
    };
    if (size + missing > MAX_BYTES || !(attempt(wanted) || attempt(size + missing))) {
      fail(
        "out-of-memory",
        `run: ${bytes} bytes do not fit beside the ${this.end} bytes that this run uses (WebAssembly memory: ${size} bytes)`,
      );
    }
    this.view = new Uint8Array(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.doubles = new Float64Array(this.memory.buffer);
  }
}

/** Arguments of generated code: addresses and sizes, then numbers. */
export interface Arguments {
  readonly words: readonly number[];
  readonly params: readonly number[];
  readonly paramsAt: number;
}
