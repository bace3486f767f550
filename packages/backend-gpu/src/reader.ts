import type { Commands } from "./commands.js";
import type { Resource } from "./pool.js";
import { MAP_READ, usage } from "./usage.js";

/** A read that waits for its batch. */
interface Request {
  readonly resource: Resource;
  readonly at: number;
  readonly bytes: number;
  /** Takes the bytes, and the word of failed checks if this read reports it. */
  readonly resolve: (bytes: ArrayBuffer, failed: number) => void;
  readonly reject: (error: unknown) => void;
  readonly reportsChecks: boolean;
}

interface Staging {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

const KEPT = 4;

/**
 * Reads memory. Reads that are asked for one after another, with nothing between them that could change what they see, are
 * copied to one buffer and mapped at once.
 */
export class Reader {
  private waiting: Request[] = [];
  private readonly idle: Staging[] = [];
  private isScheduled = false;

  constructor(
    private readonly device: GPUDevice,
    private readonly commands: Commands,
    /** The word that checks report in. */
    private readonly checks: GPUBuffer,
  ) {}

  ask(request: Request): void {
    this.waiting.push(request);
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      this.close();
    });
  }

  /** Sends the reads that wait on their way: what comes now may change memory. */
  close(): void {
    const requests = this.waiting;
    if (requests.length === 0) return;
    this.waiting = [];
    const { commands } = this;
    // Copies go by whole words.
    const places = requests.map(({ at, bytes }) => {
      const first = Math.floor(at / 4) * 4;
      return { first, bytes: Math.ceil((at + bytes) / 4) * 4 - first };
    });
    const reports = requests.some((request) => request.reportsChecks);
    const total = places.reduce((sum, { bytes }) => sum + bytes, 0) + (reports ? 4 : 0);
    const staging = this.staging(total);
    let at = 0;
    const offsets = requests.map(({ resource }, i) => {
      const { first, bytes } = places[i] as (typeof places)[0];
      commands.use(resource);
      commands.copy(resource.buffer, first, staging.buffer, at, bytes);
      at += bytes;
      return at - bytes;
    });
    if (reports) {
      commands.copy(this.checks, 0, staging.buffer, at, 4);
      commands.clear(this.checks);
    }
    commands.flush();
    void this.map(staging, total).then(
      (data) => {
        const failed = reports ? (new Uint32Array(data, at, 1)[0] as number) : 0;
        requests.forEach((request, i) => {
          const start = (offsets[i] as number) + request.at - (places[i] as (typeof places)[0]).first;
          request.resolve(data.slice(start, start + request.bytes), request.reportsChecks ? failed : 0);
        });
      },
      (error) => {
        for (const request of requests) request.reject(error);
      },
    );
  }

  destroy(): void {
    for (const { buffer } of this.idle) buffer.destroy();
  }

  private async map(staging: Staging, bytes: number): Promise<ArrayBuffer> {
    const { buffer } = staging;
    const size = Math.max(4, bytes);
    await buffer.mapAsync(MAP_READ, 0, size);
    const data = buffer.getMappedRange(0, size).slice(0);
    buffer.unmap();
    if (this.idle.length < KEPT) this.idle.push(staging);
    else buffer.destroy();
    return data;
  }

  private staging(bytes: number): Staging {
    const found = this.idle.findIndex(({ size }) => size >= bytes && size <= Math.max(65536, 4 * bytes));
    if (found >= 0) return this.idle.splice(found, 1)[0] as Staging;
    const size = Math.max(4096, 2 ** Math.ceil(Math.log2(bytes)));
    return {
      size,
      buffer: this.device.createBuffer({
        label: "gradus reads",
        size,
        usage: usage.mapRead | usage.copyTarget,
      }),
    };
  }
}
