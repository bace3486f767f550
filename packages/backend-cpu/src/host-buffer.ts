import { type Buffer, fail } from "@gradus/core";

/** The largest buffer: what an ArrayBuffer may hold in every engine of today. */
export const MAX_BUFFER_BYTES = 2 ** 31 - 8;

/** Memory of the host, which the garbage collector takes when nothing refers to it. */
export class HostBuffer implements Buffer {
  private content: Uint8Array<ArrayBuffer> | undefined;
  /** Whether anything was ever written: what was not need not be copied. */
  isDefined = false;
  /** Where it lies in the module's memory during a run, and which run that is. */
  address = 0;
  run = 0;
  /** Whether this run writes it. */
  isWritten = false;

  constructor(
    readonly bytes: number,
    readonly owner: Heap,
  ) {
    this.content = new Uint8Array(bytes);
  }

  get data(): Uint8Array<ArrayBuffer> {
    return this.content ?? fail("disposed", "this buffer was freed: its memory is gone");
  }

  get isReleased(): boolean {
    return this.content === undefined;
  }

  write(data: ArrayBufferView, at: number): void {
    this.checkRange("write", at, data.byteLength);
    this.data.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    this.isDefined = true;
  }

  read(at: number, bytes: number): ArrayBuffer {
    this.checkRange("read", at, bytes);
    return this.data.slice(at, at + bytes).buffer;
  }

  release(): void {
    this.content = undefined;
  }

  private checkRange(what: string, at: number, bytes: number): void {
    if (at >= 0 && bytes >= 0 && at + bytes <= this.bytes) return;
    fail(
      "invalid-argument",
      `${what}: bytes ${at} to ${at + bytes} are not within the buffer, which has ${this.bytes} bytes`,
    );
  }
}

/** Makes buffers and counts them: what was allocated less what was freed. It holds no buffer alive. */
export class Heap {
  private buffers = 0;
  private bytes = 0;

  alloc(bytes: number): HostBuffer {
    if (!Number.isInteger(bytes) || bytes < 0) {
      fail("invalid-argument", `alloc: expected a whole number of bytes, got ${bytes}`);
    }
    if (bytes > MAX_BUFFER_BYTES)
      this.exhausted(bytes, `the limit of one buffer is ${MAX_BUFFER_BYTES} bytes`);
    let buffer: HostBuffer;
    try {
      buffer = new HostBuffer(bytes, this);
    } catch (cause) {
      return this.exhausted(bytes, `the host refuses to allocate them (${String(cause)})`);
    }
    this.buffers++;
    this.bytes += bytes;
    return buffer;
  }

  free(buffer: HostBuffer): void {
    buffer.release();
    this.buffers--;
    this.bytes -= buffer.bytes;
  }

  usage(): { readonly buffers: number; readonly bytes: number } {
    return { buffers: this.buffers, bytes: this.bytes };
  }

  private exhausted(bytes: number, why: string): never {
    const used = `${this.buffers} buffers with ${this.bytes} bytes were allocated and not freed`;
    return fail("out-of-memory", `alloc: ${bytes} bytes do not fit: ${why}; ${used}`);
  }
}
