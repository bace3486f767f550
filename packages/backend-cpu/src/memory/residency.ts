import { fail } from "@gradus/core";
import { Allocator, type Block } from "./allocator.js";
import { CpuBuffer } from "./cpu-buffer.js";
import type { LinearMemory } from "./linear-memory.js";

/** The largest buffer: what an ArrayBuffer may hold in every engine of today. */
export const MAX_BUFFER_BYTES = 2 ** 31 - 8;
/** Buffers of up to so many bytes are copied in and out of each run, which is cheaper than keeping books. */
const SMALL = 256;
/** Words of an array that small buffers share: an array for each would cost more than what is computed. */
const SHARED_WORDS = 1024;
/** What copies may take beside what is kept. */
const MAX_CACHED_BYTES = 128 * 2 ** 20;
const MAX_CACHED_COPIES = 1024;

/** Places of small buffers during a run. */
interface Arena {
  readonly start: number;
  readonly end: number;
}

/**
 * Makes buffers, counts them, and decides which of them are in the linear memory.
 *
 * An ordinary buffer is garbage when nobody refers to it. Its copy in the linear memory stays behind in a bounded list, the
 * one used longest ago is given up first; a result is copied out to an ordinary array only then. A buffer that is kept has
 * no array, and its place until it is freed or collected.
 */
export class Residency {
  private readonly allocator: Allocator;
  private buffers = 0;
  private bytes = 0;
  private newest: CpuBuffer | undefined;
  private oldest: CpuBuffer | undefined;
  private cachedBytes = 0;
  private cachedCopies = 0;
  /** The number of the launch, and of the run, in progress. They share a count. */
  private launch = 1;
  private run = 1;
  private clock = 1;
  private arenaEnd: number;
  /** The array that the next small buffers are in, and where it is free. */
  private shared = new Int32Array(SHARED_WORDS);
  private sharedEnd = 0;
  /** The small buffers of this run. */
  private readonly small: (CpuBuffer | undefined)[] = [];
  private smallCount = 0;
  /** Gives back what a kept buffer had. */
  private readonly collected = new FinalizationRegistry<Block>((block) => this.allocator.release(block));

  constructor(
    readonly memory: LinearMemory,
    private readonly arena: Arena,
  ) {
    this.arenaEnd = arena.start;
    this.allocator = new Allocator(arena.end, (end) => memory.reach(end));
  }

  alloc(bytes: number): CpuBuffer {
    if (!Number.isInteger(bytes) || bytes < 0) {
      fail("invalid-argument", `alloc: expected a whole number of bytes, got ${bytes}`);
    }
    if (bytes > MAX_BUFFER_BYTES) {
      this.exhausted("alloc", bytes, `the limit of one buffer is ${MAX_BUFFER_BYTES} bytes`);
    }
    this.buffers++;
    this.bytes += bytes;
    return new CpuBuffer(bytes, this);
  }

  free(buffer: CpuBuffer): void {
    if (buffer.block !== undefined) {
      if (buffer.isKept) this.collected.unregister(buffer);
      else this.unlist(buffer);
      this.allocator.release(buffer.block);
    }
    buffer.release();
    this.buffers--;
    this.bytes -= buffer.bytes;
  }

  usage(): { readonly buffers: number; readonly bytes: number } {
    return { buffers: this.buffers, bytes: this.bytes };
  }

  /** Leaves the buffer in the linear memory from its next use on. */
  keep(buffer: CpuBuffer): void {
    if (buffer.isKept) return;
    if (buffer.block !== undefined) {
      this.unlist(buffer);
      this.collected.register(buffer, buffer.block, buffer);
      if (buffer.isCopyCurrent) this.dropArray(buffer);
    }
    buffer.isKept = true;
  }

  write(buffer: CpuBuffer, data: ArrayBufferView, at: number): void {
    buffer.checkRange("write", at, data.byteLength);
    const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (buffer.isKept) this.settle(buffer);
    if (buffer.isKept || (buffer.isCopyCurrent && !buffer.isArrayCurrent)) {
      this.memory.bytes.set(source, buffer.address + at);
      buffer.isCopyCurrent = true;
      if (buffer.block?.label === "") buffer.block.label = "written by the host";
      return;
    }
    new Uint8Array(this.arrayOf(buffer).buffer).set(source, 4 * buffer.start + at);
    buffer.isArrayCurrent = true;
    buffer.isCopyCurrent = false;
  }

  read(buffer: CpuBuffer, at: number, bytes: number): ArrayBuffer {
    buffer.checkRange("read", at, bytes);
    if (buffer.isArrayCurrent) {
      const from = 4 * buffer.start + at;
      return this.arrayOf(buffer).buffer.slice(from, from + bytes);
    }
    const result = new ArrayBuffer(bytes);
    if (buffer.isCopyCurrent) {
      const from = buffer.address + at;
      new Uint8Array(result).set(this.memory.bytes.subarray(from, from + bytes));
    }
    return result;
  }

  beginRun(): void {
    this.run = ++this.clock;
    this.arenaEnd = this.arena.start;
  }

  beginLaunch(): void {
    this.launch = ++this.clock;
  }

  /** Where a buffer is in this launch, its content with it. It may be elsewhere in the next one. */
  place(buffer: CpuBuffer): number {
    if (buffer.isKept) {
      if (buffer.block === undefined) this.settle(buffer);
      return buffer.address;
    }
    if (buffer.block === undefined) {
      if (buffer.bytes <= SMALL) {
        if (buffer.stamp === this.run) return buffer.address;
        const address = this.arenaEnd;
        const end = address + ((buffer.bytes + 15) & -16);
        if (end <= this.arena.end) {
          this.arenaEnd = end;
          buffer.address = address;
          buffer.stamp = this.run;
          this.small[this.smallCount++] = buffer;
          if (buffer.isArrayCurrent) this.copyIn(buffer);
          return address;
        }
      }
      this.giveBlock(buffer);
      this.list(buffer);
    } else if (buffer !== this.newest) {
      this.unlist(buffer);
      this.list(buffer);
    }
    buffer.stamp = this.launch;
    if (!buffer.isCopyCurrent && buffer.isArrayCurrent) {
      this.copyIn(buffer);
      buffer.isCopyCurrent = true;
    }
    return buffer.address;
  }

  /** Notes that this launch writes the buffer, which it has placed. `label` says who. */
  wrote(buffer: CpuBuffer, label: string): void {
    buffer.isCopyCurrent = true;
    buffer.isArrayCurrent = false;
    if (buffer.block !== undefined) buffer.block.label = label;
  }

  endRun(): void {
    const { small } = this;
    for (let k = 0; k < this.smallCount; k++) {
      const buffer = small[k] as CpuBuffer;
      small[k] = undefined;
      if (buffer.isCopyCurrent && !buffer.isReleased) this.copyOut(buffer);
      buffer.isCopyCurrent = false;
    }
    this.smallCount = 0;
    while (
      this.oldest !== undefined &&
      (this.cachedBytes > MAX_CACHED_BYTES || this.cachedCopies > MAX_CACHED_COPIES)
    ) {
      this.giveUp(this.oldest);
    }
  }

  /** Memory for what is no buffer. */
  reserve(bytes: number, label: string): Block {
    let block = this.allocator.allocate(bytes, label);
    // What this launch uses was used last, so the rest of the list may go.
    while (block === undefined && this.oldest !== undefined && this.oldest.stamp !== this.launch) {
      this.giveUp(this.oldest);
      block = this.allocator.allocate(bytes, label);
    }
    if (block !== undefined) return block;
    const { size } = this.memory;
    return this.exhausted(
      "run",
      bytes,
      `WebAssembly memory has ${size} bytes, of which ${this.allocator.usedBytes} are in use, and cannot grow so far`,
    );
  }

  release(block: Block): void {
    this.allocator.release(block);
  }

  /** Gives a kept buffer its place. */
  private settle(buffer: CpuBuffer): void {
    if (buffer.block !== undefined) return;
    this.giveBlock(buffer);
    this.collected.register(buffer, buffer.block as unknown as Block, buffer);
    if (!buffer.isArrayCurrent) return;
    this.copyIn(buffer);
    buffer.isCopyCurrent = true;
    this.dropArray(buffer);
  }

  private giveBlock(buffer: CpuBuffer): void {
    buffer.block = this.reserve(buffer.bytes, "");
    buffer.address = buffer.block.address;
    buffer.isCopyCurrent = false;
  }

  private giveUp(buffer: CpuBuffer): void {
    if (!buffer.isArrayCurrent && buffer.isCopyCurrent) this.copyOut(buffer);
    this.unlist(buffer);
    this.allocator.release(buffer.block as Block);
    buffer.block = undefined;
    buffer.isCopyCurrent = false;
  }

  private copyIn(buffer: CpuBuffer): void {
    const array = this.arrayOf(buffer);
    const { words } = this.memory;
    const { start, bytes } = buffer;
    const at = buffer.address / 4;
    if (bytes > SMALL) words.set(array, at);
    else for (let i = 0; 4 * i < bytes; i++) words[at + i] = array[start + i] as number;
  }

  private copyOut(buffer: CpuBuffer): void {
    const array = this.arrayOf(buffer);
    const { words } = this.memory;
    const { start, bytes } = buffer;
    const at = buffer.address / 4;
    if (bytes > SMALL) array.set(words.subarray(at, at + array.length));
    else for (let i = 0; 4 * i < bytes; i++) array[start + i] = words[at + i] as number;
    buffer.isArrayCurrent = true;
  }

  private arrayOf(buffer: CpuBuffer): Int32Array<ArrayBuffer> {
    if (buffer.array !== undefined) return buffer.array;
    const length = (buffer.bytes + 3) >>> 2;
    if (buffer.bytes <= SMALL) {
      if (this.sharedEnd + length > SHARED_WORDS) {
        this.shared = new Int32Array(SHARED_WORDS);
        this.sharedEnd = 0;
      }
      buffer.start = this.sharedEnd;
      this.sharedEnd += length;
      buffer.array = this.shared;
      return this.shared;
    }
    try {
      buffer.array = new Int32Array(length);
    } catch (cause) {
      return this.exhausted("run", buffer.bytes, `the host refuses to allocate them (${String(cause)})`);
    }
    return buffer.array;
  }

  private dropArray(buffer: CpuBuffer): void {
    buffer.array = undefined;
    buffer.isArrayCurrent = false;
  }

  private list(buffer: CpuBuffer): void {
    buffer.older = this.newest;
    if (this.newest === undefined) this.oldest = buffer;
    else this.newest.newer = buffer;
    this.newest = buffer;
    this.cachedBytes += buffer.bytes;
    this.cachedCopies++;
  }

  private unlist(buffer: CpuBuffer): void {
    const { older, newer } = buffer;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    buffer.older = undefined;
    buffer.newer = undefined;
    this.cachedBytes -= buffer.bytes;
    this.cachedCopies--;
  }

  private exhausted(what: string, bytes: number, why: string): never {
    const largest = this.allocator.largest(5).map((block) => {
      return `${block.bytes} bytes${block.label === "" ? "" : ` (${block.label})`}`;
    });
    const resident = largest.length === 0 ? "" : `. The largest in WebAssembly memory: ${largest.join(", ")}`;
    return fail(
      "out-of-memory",
      `${what}: ${bytes} bytes do not fit: ${why}; ${this.buffers} buffers with ${this.bytes} bytes were allocated and not freed${resident}`,
    );
  }
}
