import type { Buffer } from "../backend.js";
import { bytesOf, type DType } from "../dtype.js";
import { fail } from "../errors.js";
import type { Elements } from "./frame.js";

/** The largest buffer: what an ArrayBuffer may hold in every engine of today. */
export const MAX_BUFFER_BYTES = 2 ** 31 - 8;

/** A buffer of the interpreter: host memory, seen as whichever dtype a kernel binds it as. */
export class HostBuffer implements Buffer {
  /**
   * The memory, as 4-byte words. A typed array rather than an ArrayBuffer: engines keep small ones on their own heap,
   * which makes a tensor of a few elements several times cheaper.
   */
  private words: Float32Array | undefined;
  private integers: Int32Array | undefined;
  private doubles: Float64Array | undefined;
  private halves: Uint16Array | undefined;

  constructor(
    readonly bytes: number,
    /** The memory that the buffer belongs to. */
    readonly owner: Memory,
  ) {
    // Whole doubles, so that the memory can be seen as float64.
    this.words = new Float32Array(Math.ceil(bytes / 8) * 2);
  }

  as(dtype: DType): Elements {
    const words = this.words ?? disposed();
    switch (dtype) {
      case "f32":
        return words;
      case "f64":
        this.doubles ??= new Float64Array(words.buffer);
        return this.doubles;
      case "f16":
        this.halves ??= new Uint16Array(words.buffer);
        return this.halves;
      default:
        this.integers ??= new Int32Array(words.buffer);
        return this.integers;
    }
  }

  /** How many whole elements of a dtype it holds. */
  lengthAs(dtype: DType): number {
    return Math.floor(this.bytes / bytesOf(dtype));
  }

  write(data: ArrayBufferView, at: number): void {
    const words = this.words ?? disposed();
    this.checkRange("write", at, data.byteLength);
    // Copying floats to floats is the fast path, and keeps the bits of NaNs, as copying bytes does.
    if (data instanceof Float32Array && at % 4 === 0) words.set(data, at / 4);
    else {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      new Uint8Array(words.buffer, at, data.byteLength).set(bytes);
    }
  }

  read(at: number, bytes: number): ArrayBuffer {
    const words = this.words ?? disposed();
    this.checkRange("read", at, bytes);
    return words.buffer.slice(at, at + bytes) as ArrayBuffer;
  }

  /** Lets go of the memory. False if that was done before. */
  release(): boolean {
    if (this.words === undefined) return false;
    this.words = undefined;
    this.integers = undefined;
    this.doubles = undefined;
    this.halves = undefined;
    return true;
  }

  get isReleased(): boolean {
    return this.words === undefined;
  }

  private checkRange(op: string, at: number, bytes: number): void {
    if (at < 0 || bytes < 0 || at + bytes > this.bytes) {
      fail(
        "invalid-argument",
        `${op}: bytes ${at} to ${at + bytes} are not within the buffer, which has ${this.bytes} bytes`,
      );
    }
  }
}

function disposed(): never {
  return fail("disposed", "this buffer was freed: its memory is gone");
}

/**
 * Makes buffers and counts them: what was allocated less what was freed. Buffers that the garbage collector takes are
 * not noticed, so the counts of a program that frees nothing only grow; they hold no buffer alive.
 */
export class Memory {
  private buffers = 0;
  private bytes = 0;

  alloc(bytes: number): HostBuffer {
    if (!Number.isInteger(bytes) || bytes < 0) {
      fail("invalid-argument", `alloc: expected a whole number of bytes, got ${bytes}`);
    }
    if (bytes > MAX_BUFFER_BYTES)
      this.exhausted(bytes, `the limit of one buffer is ${formatBytes(MAX_BUFFER_BYTES)}`);
    let buffer: HostBuffer;
    try {
      buffer = new HostBuffer(bytes, this);
    } catch (cause) {
      return this.exhausted(bytes, "the host refuses to allocate them", cause);
    }
    this.buffers++;
    this.bytes += bytes;
    return buffer;
  }

  free(buffer: HostBuffer): void {
    if (!buffer.release()) fail("disposed", "free: this buffer was freed before");
    this.buffers--;
    this.bytes -= buffer.bytes;
  }

  usage(): { readonly buffers: number; readonly bytes: number } {
    return { buffers: this.buffers, bytes: this.bytes };
  }

  private exhausted(bytes: number, why: string, cause?: unknown): never {
    const used = `${this.buffers} buffers with ${formatBytes(this.bytes)} were allocated and not freed`;
    const message = `alloc: ${formatBytes(bytes)} do not fit: ${why}; ${used}`;
    return fail("out-of-memory", cause === undefined ? message : `${message} (${String(cause)})`);
  }
}

function formatBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
