import { fail } from "@gradus/core";
import { usage } from "./usage.js";

/** Memory of the device. It goes from one buffer to the next. */
export interface Resource {
  /** Never used again for another one. */
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** The batch of commands that used it last. */
  lastUse: number;
}

/** Free memory beyond this is destroyed, the least recently freed first. */
const KEPT_BYTES = 2 ** 28;

/**
 * Makes and keeps memory. Sizes are rounded up, to a quarter of a power of two, so that what is freed fits what comes. Freed memory may
 * be used again at once: all that uses it is on one queue.
 */
export class Pool {
  private nextId = 1;
  private readonly free = new Map<number, Resource[]>();
  /** Free resources, the least recently freed first. */
  private readonly order = new Set<Resource>();
  private freeBytes = 0;
  /** How many device buffers were ever made. */
  created = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly failed: (error: GPUError, what: string) => void,
    private readonly watch: (promise: Promise<unknown>) => void,
    /** Called before memory is destroyed: commands that use it have to be with the device. */
    private readonly release: (resource: Resource) => void,
  ) {}

  take(bytes: number): Resource {
    const size = roundUp(bytes);
    const known = this.free.get(size)?.pop();
    if (known !== undefined) {
      this.order.delete(known);
      this.freeBytes -= size;
      return known;
    }
    return this.make(size);
  }

  give(resource: Resource): void {
    const { bytes } = resource;
    let list = this.free.get(bytes);
    if (list === undefined) {
      list = [];
      this.free.set(bytes, list);
    }
    list.push(resource);
    this.order.add(resource);
    this.freeBytes += bytes;
    this.trim(KEPT_BYTES);
  }

  destroyAll(): void {
    this.trim(0);
  }

  private make(size: number): Resource {
    const { device } = this;
    // Memory that lies unused is the first to go where a large piece is wanted.
    if (size > KEPT_BYTES / 4) this.trim(Math.max(0, KEPT_BYTES - size));
    device.pushErrorScope("out-of-memory");
    const buffer = device.createBuffer({
      label: `gradus ${size} bytes`,
      size,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
    this.watch(
      device.popErrorScope().then((error) => {
        if (error !== null) this.failed(error, `a buffer of ${size} bytes`);
      }),
    );
    this.created++;
    return { id: this.nextId++, buffer, bytes: size, lastUse: -1 };
  }

  private trim(limit: number): void {
    for (const resource of this.order) {
      if (this.freeBytes <= limit) return;
      this.order.delete(resource);
      const list = this.free.get(resource.bytes) as Resource[];
      list.splice(list.indexOf(resource), 1);
      this.freeBytes -= resource.bytes;
      this.release(resource);
      resource.buffer.destroy();
    }
  }
}

/** The next multiple of a quarter of the power of two below; at least 256. */
function roundUp(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes)) - 2));
  return Math.ceil(bytes / step) * step;
}

/** A number of bytes that a buffer may have. */
export function checkBytes(bytes: number, limit: number): void {
  if (!Number.isInteger(bytes) || bytes < 0) {
    fail("invalid-argument", `alloc: expected a whole number of bytes, got ${bytes}`);
  }
  if (bytes > limit) {
    fail("out-of-memory", `alloc: ${bytes} bytes do not fit: the limit of one buffer is ${limit} bytes`);
  }
}
