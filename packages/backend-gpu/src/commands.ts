import type { Resource } from "./pool.js";

/** After so many dispatches commands are handed to the device, which so has work while more is recorded. */
const MANY = 256;

/**
 * Records commands and hands them to the device in batches: when many have come together, when a read needs them, and at
 * the latest when the caller's code ends (a microtask). So a step is one submission.
 */
export class Commands {
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private dispatches = 0;
  private isScheduled = false;
  /** The number of the batch that is being recorded. */
  batch = 0;
  /** How many batches were submitted, and dispatches recorded, ever. */
  readonly counts = { submits: 0, dispatches: 0 };
  private boundPipeline: GPUComputePipeline | undefined;
  /** Called before commands are handed over because the caller's code ended: what else belongs to the batch. */
  beforeFlush: () => void = () => undefined;

  constructor(private readonly device: GPUDevice) {}

  /** Marks memory as used by this batch. */
  use(resource: Resource): void {
    resource.lastUse = this.batch;
  }

  dispatch(pipeline: GPUComputePipeline, group: GPUBindGroup, offset: number, workgroups: number): void {
    const pass = this.computePass();
    if (this.boundPipeline !== pipeline) {
      pass.setPipeline(pipeline);
      this.boundPipeline = pipeline;
    }
    pass.setBindGroup(0, group, [offset]);
    const [x, y] = gridOf(workgroups);
    pass.dispatchWorkgroups(x, y);
    this.counts.dispatches++;
    if (++this.dispatches >= MANY) this.flush();
    else this.schedule();
  }

  /** The open pass, for dispatches that are timed one by one. */
  timed(writes: GPUComputePassTimestampWrites, record: () => void): void {
    this.endPass();
    this.pass = this.commandEncoder().beginComputePass({ timestampWrites: writes });
    record();
    this.endPass();
  }

  copy(from: GPUBuffer, fromAt: number, to: GPUBuffer, toAt: number, bytes: number): void {
    this.endPass();
    if (bytes > 0) this.commandEncoder().copyBufferToBuffer(from, fromAt, to, toAt, bytes);
    this.schedule();
  }

  clear(buffer: GPUBuffer): void {
    this.endPass();
    this.commandEncoder().clearBuffer(buffer);
    this.schedule();
  }

  /** Other commands between passes. */
  record(write: (encoder: GPUCommandEncoder) => void): void {
    this.endPass();
    write(this.commandEncoder());
    this.schedule();
  }

  flush(): void {
    if (this.encoder === undefined) return;
    this.endPass();
    const commands = this.encoder.finish();
    this.encoder = undefined;
    this.dispatches = 0;
    this.batch++;
    this.counts.submits++;
    this.device.queue.submit([commands]);
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      this.beforeFlush();
      this.flush();
    });
  }

  private commandEncoder(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    return this.encoder;
  }

  private computePass(): GPUComputePassEncoder {
    this.pass ??= this.commandEncoder().beginComputePass();
    return this.pass;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
    this.boundPipeline = undefined;
  }
}

const MAX_GROUPS = 65535;

/** Workgroups in two dimensions, as one has room for 65,535; a few too many, which do nothing. */
export function gridOf(workgroups: number): [x: number, y: number] {
  if (workgroups <= MAX_GROUPS) return [workgroups, 1];
  const y = Math.ceil(workgroups / MAX_GROUPS);
  return [Math.ceil(workgroups / y), y];
}
