import type { Commands } from "./commands.js";
import { MAP_READ, usage } from "./usage.js";

/** What a kernel took on the device, all its launches together. */
export interface KernelProfile {
  readonly name: string;
  readonly dispatches: number;
  /** On the device; a browser may round each dispatch's time, to 0.1 ms in Chromium. */
  readonly milliseconds: number;
  /** Of the buffers that its launches bind: each read or written once. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
  /** Multiplications and additions of contractions, operations of loops. */
  readonly operations: number;
  readonly operationsPerSecond: number;
}

interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly operations: number;
}

/** WebGPU's limit for a query set. */
const QUERIES = 4096;

/** Times dispatches, each in a pass of its own. */
export class Profiler {
  private readonly sets: GPUQuerySet[] = [];
  private readonly entries: Entry[] = [];

  constructor(
    private readonly device: GPUDevice,
    private readonly commands: Commands,
  ) {}

  /** Where the next dispatch leaves its times. */
  next(entry: Entry): GPUComputePassTimestampWrites {
    const query = (this.entries.length * 2) % QUERIES;
    if (query === 0) this.sets.push(this.device.createQuerySet({ type: "timestamp", count: QUERIES }));
    this.entries.push(entry);
    const querySet = this.sets.at(-1) as GPUQuerySet;
    return { querySet, beginningOfPassWriteIndex: query, endOfPassWriteIndex: query + 1 };
  }

  /** The times, once the device is done, by kernel; the slowest first. */
  async finish(): Promise<KernelProfile[]> {
    const { device, commands, entries } = this;
    const total = entries.length * 2;
    if (total === 0) return [];
    const make = (flags: number): GPUBuffer =>
      device.createBuffer({ label: "gradus profile", size: this.sets.length * QUERIES * 8, usage: flags });
    const resolved = make(usage.queryResolve | usage.copySource);
    const staging = make(usage.mapRead | usage.copyTarget);
    commands.record((encoder) => {
      this.sets.forEach((set, i) => {
        const count = Math.min(QUERIES, total - i * QUERIES);
        encoder.resolveQuerySet(set, 0, count, resolved, i * QUERIES * 8);
      });
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, total * 8);
    });
    commands.flush();
    await staging.mapAsync(MAP_READ);
    const times = new BigUint64Array(staging.getMappedRange().slice(0));
    const byName = new Map<
      string,
      { dispatches: number; nanoseconds: number; bytes: number; operations: number }
    >();
    entries.forEach(({ name, bytes, operations }, i) => {
      const known = byName.get(name) ?? { dispatches: 0, nanoseconds: 0, bytes: 0, operations: 0 };
      known.dispatches++;
      known.nanoseconds += Number((times[2 * i + 1] as bigint) - (times[2 * i] as bigint));
      known.bytes += bytes;
      known.operations += operations;
      byName.set(name, known);
    });
    for (const one of [...this.sets, resolved, staging]) one.destroy();
    return [...byName]
      .map(([name, { dispatches, nanoseconds, bytes, operations }]) => ({
        name,
        dispatches,
        milliseconds: nanoseconds / 1e6,
        bytes,
        bytesPerSecond: nanoseconds > 0 ? (bytes / nanoseconds) * 1e9 : 0,
        operations,
        operationsPerSecond: nanoseconds > 0 ? (operations / nanoseconds) * 1e9 : 0,
      }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }
}
