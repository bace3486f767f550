import { MAP_READ, usage } from "./usage.js";

/** Says how long the device takes for something, by its own clock where it tells, or else by the host's. */
export class Stopwatch {
  private readonly clock: { readonly queries: GPUQuerySet; readonly resolved: GPUBuffer } | undefined;

  constructor(private readonly device: GPUDevice) {
    if (!device.features.has("timestamp-query")) return;
    this.clock = {
      queries: device.createQuerySet({ label: "gradus stopwatch", type: "timestamp", count: 2 }),
      resolved: device.createBuffer({
        label: "gradus stopwatch",
        size: 16,
        usage: usage.queryResolve | usage.copySource,
      }),
    };
  }

  /** Milliseconds for what `record` puts into a pass of its own. */
  async time(record: (pass: GPUComputePassEncoder) => void): Promise<number> {
    const { device, clock } = this;
    const encoder = device.createCommandEncoder();
    if (clock === undefined) {
      const pass = encoder.beginComputePass();
      record(pass);
      pass.end();
      const commands = encoder.finish();
      await device.queue.onSubmittedWorkDone();
      const start = performance.now();
      device.queue.submit([commands]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - start;
    }
    const { queries, resolved } = clock;
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    record(pass);
    pass.end();
    const staging = device.createBuffer({ size: 16, usage: usage.mapRead | usage.copyTarget });
    encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ);
    const [begin, end] = new BigUint64Array(staging.getMappedRange()) as unknown as [bigint, bigint];
    staging.destroy();
    return Number(end - begin) / 1e6;
  }

  destroy(): void {
    this.clock?.queries.destroy();
    this.clock?.resolved.destroy();
  }
}
