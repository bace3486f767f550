import {
  type Backend,
  type Buffer,
  checkDTypes,
  type Executable,
  fail,
  type GradusError,
  type Kernel,
  type Launch,
  launchError,
  validateKernel,
} from "@gradus/core";
import { BoundLaunch } from "./bound-launch.js";
import { Compiled } from "./compiled.js";
import { dtypes } from "./dtypes.js";
import { Machine } from "./machine.js";
import { CpuBuffer } from "./memory/cpu-buffer.js";
import { MAX_BUFFER_BYTES } from "./memory/residency.js";
import type { Pool, PoolOptions } from "./threads/pool.js";
import { spawn } from "./threads/spawn.js";

export interface DeviceOptions extends Partial<PoolOptions> {
  readonly threads: number;
  readonly collected: boolean;
}

/** A worker that takes longer than this for a part, and much longer than others for theirs, is given up. */
const STALL_MS = 10_000;

/** Ends the workers of devices that nobody uses any more. */
const abandoned = new FinalizationRegistry<Pool>((pool) => void pool.stop());

/** The device behind `cpu()`. */
export class Cpu implements Backend {
  readonly name = "cpu";
  readonly caps;
  private readonly machine: Machine;
  /** What is known of programs that were run before. */
  private readonly programs = new WeakMap<readonly Launch[], BoundProgram>();
  /** The first failed check since the last read. */
  private pending: GradusError | undefined;
  private isDisposed = false;

  constructor({ collected, threads, spawn: how = spawn, stallMs = STALL_MS }: DeviceOptions) {
    this.machine = new Machine({ threads, spawn: how, stallMs });
    if (this.machine.pool !== undefined) abandoned.register(this, this.machine.pool, this);
    this.caps = { dtypes, collected, maxBufferBytes: MAX_BUFFER_BYTES, maxBuffers: 256 };
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    return this.machine.residency.alloc(bytes);
  }

  free(buffer: Buffer): void {
    this.machine.residency.free(this.own(buffer, "free"));
  }

  keep(buffer: Buffer): void {
    this.machine.residency.keep(this.own(buffer, "keep"));
  }

  write(buffer: Buffer, data: ArrayBufferView, at = 0): void {
    this.machine.residency.write(this.own(buffer, "write"), data, at);
  }

  async read(buffer: Buffer, at?: number, bytes?: number): Promise<ArrayBuffer> {
    return this.readSync(buffer, at, bytes);
  }

  readSync(buffer: Buffer, at = 0, bytes = buffer.bytes - at): ArrayBuffer {
    const own = this.own(buffer, "read");
    const { pending } = this;
    if (pending !== undefined) {
      this.pending = undefined;
      throw pending;
    }
    return this.machine.residency.read(own, at, bytes);
  }

  compile(kernel: Kernel): Executable {
    this.checkOpen();
    validateKernel(kernel);
    checkDTypes(kernel, this.name, dtypes);
    return new Compiled(kernel, this);
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    const { residency, pool } = this.machine;
    pool?.begin();
    const bound = this.boundTo(program);
    residency.beginRun();
    try {
      for (let k = 0; k < program.length; k++) {
        const launch = program[k] as Launch;
        const message = (bound?.launches[k] ?? this.once(launch)).run(launch);
        if (message !== undefined) this.noteFailure(launch, message);
      }
    } finally {
      residency.endRun();
    }
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return this.machine.residency.usage();
  }

  async dispose(): Promise<void> {
    if (this.isDisposed) return;
    this.isDisposed = true;
    abandoned.unregister(this);
    await this.machine.pool?.stop();
  }

  /** The buffer as one of this device, alive. */
  own(buffer: Buffer, what: string): CpuBuffer {
    this.checkOpen();
    if (!(buffer instanceof CpuBuffer) || buffer.owner !== this.machine.residency) {
      fail("device-mismatch", `${what}: the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `${what}: the buffer was freed before`);
    return buffer;
  }

  /** A program that is passed again will be passed often: its launches are bound from its second run on. */
  private boundTo(program: readonly Launch[]): BoundProgram | undefined {
    let bound = this.programs.get(program);
    if (bound === undefined) {
      bound = { launches: [] };
      this.programs.set(program, bound);
      return undefined;
    }
    const { launches } = bound;
    launches.length = program.length;
    for (let k = 0; k < program.length; k++) {
      const { executable } = program[k] as Launch;
      if (launches[k]?.compiled !== executable) {
        launches[k] = new BoundLaunch(this.machine, this.ownKernel(executable));
      }
    }
    return bound;
  }

  private once({ executable }: Launch): BoundLaunch {
    const compiled = this.ownKernel(executable);
    compiled.once ??= new BoundLaunch(this.machine, compiled);
    return compiled.once;
  }

  private ownKernel(executable: Executable): Compiled {
    if (!(executable instanceof Compiled) || executable.owner !== this) {
      fail("device-mismatch", `run: kernel "${executable.kernel.name}" was compiled by another device`);
    }
    return executable;
  }

  private noteFailure({ executable }: Launch, message: string): void {
    this.pending ??= launchError(executable.kernel, message);
  }

  private checkOpen(): void {
    if (this.isDisposed) fail("disposed", "cpu: this device was disposed");
  }
}

interface BoundProgram {
  readonly launches: BoundLaunch[];
}
