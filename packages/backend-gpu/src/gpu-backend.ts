import {
  type Backend,
  type Buffer,
  checkDTypes,
  type DType,
  type Executable,
  fail,
  GradusError,
  type Kernel,
  type Launch,
  launchError,
  runNative,
  typedArray,
  validateKernel,
} from "@gradus/core";
import { ArgumentSlots } from "./argument-slots.js";
import { Commands } from "./commands.js";
import { Compiled } from "./compiled.js";
import { ContractProgram } from "./contract-program.js";
import type { MatrixUnits } from "./emit/matrix-shader.js";
import { GpuBuffer } from "./gpu-buffer.js";
import { LaunchedChecks } from "./launched-checks.js";
import { type Limits, LoopProgram } from "./loop-program.js";
import { NativeProgram } from "./native-program.js";
import { Pipelines } from "./pipelines.js";
import { checkBytes, Pool, type Resource } from "./pool.js";
import { type KernelProfile, Profiler } from "./profiler.js";
import { type Prepared, Programs, type Step } from "./programs.js";
import { Reader } from "./reader.js";
import { Timeline } from "./timeline.js";
import { Tuner, type Tuning } from "./tuner.js";
import { usage } from "./usage.js";
import type { GpuProgram } from "./work.js";

/** A graphics card, and what it can do beyond a `Backend`. */
export interface GpuDevice extends Backend {
  /** The card's name, as far as the browser tells. */
  readonly adapter: string;
  /** Whether the card is the processor after all: a software driver, which is slower than `cpu()`. */
  readonly isSoftware: boolean;
  /** In what the operands of contractions are taken. */
  readonly contractions: "f32" | "f16";
  /**
   * Runs `f` and times each kernel on the card. Dispatches go one by one meanwhile, so the whole takes longer than it does
   * otherwise. Throws `unsupported` where the card or the browser does not tell times.
   */
  profile<T>(f: () => T | Promise<T>): Promise<{ readonly result: T; readonly kernels: KernelProfile[] }>;
  /**
   * How matrix products and convolutions that came often are laid out, as timing on this card showed: resolves once nothing
   * is left to be timed. Plain data, to be kept and given to `gpu({ tuning })`.
   */
  tuning(): Promise<Tuning>;
}

/** What is known of a card, and what is wanted of it. */
export interface GpuSettings {
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly contractions: "f32" | "f16";
  readonly autotune: boolean;
  readonly tuning: Tuning | undefined;
  readonly units: MatrixUnits | undefined;
}

const dtypes: readonly DType[] = ["bool", "i32", "f32"];

export class GpuBackend implements GpuDevice {
  readonly name = "gpu";
  readonly caps;
  readonly lost: Promise<Error>;
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly contractions: "f32" | "f16";
  private readonly autotune: boolean;
  private readonly commands: Commands;
  private readonly pool: Pool;
  private readonly slots: ArgumentSlots;
  private readonly pipelines: Pipelines;
  private readonly programs: Programs;
  private readonly reader: Reader;
  private readonly tuner: Tuner;
  private readonly timeline = new Timeline();
  private readonly limits: Limits;
  /** The word in which the first check that fails leaves its number. */
  private readonly checks: GPUBuffer;
  private readonly launched = new LaunchedChecks();
  /** What went wrong and no read has reported yet. */
  private pending: GradusError | undefined;
  private pendingIsVague = false;
  private gone: GradusError | undefined;
  /** The name of the latest kernel that was handed over, for messages. */
  private latest: string | undefined;
  private readonly open: { buffers: number; bytes: number } = { buffers: 0, bytes: 0 };
  private readonly watched = new Set<Promise<unknown>>();
  private scratch: Resource | undefined;
  private profiler: Profiler | undefined;
  private nextId = 1;

  constructor(
    private readonly device: GPUDevice,
    { adapter, isSoftware, contractions, autotune, tuning, units }: GpuSettings,
  ) {
    this.adapter = adapter;
    this.isSoftware = isSoftware;
    this.contractions = contractions;
    this.autotune = autotune;
    const { limits } = device;
    this.limits = {
      buffers: limits.maxStorageBuffersPerShaderStage,
      shared: limits.maxComputeWorkgroupStorageSize,
      isSoftware,
      subgroups: device.features.has("subgroups"),
      threads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
      halfContractions: contractions === "f16",
      halves: device.features.has("shader-f16"),
      units,
    };
    this.caps = {
      dtypes: device.features.has("shader-f16") ? [...dtypes, "f16" as const] : dtypes,
      collected: false,
      maxBufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
      // One is for the word of checks.
      maxBuffers: limits.maxStorageBuffersPerShaderStage - 1,
    };
    const failed = (error: { readonly message: string }, what: string): void => this.report(error, what);
    const watch = (promise: Promise<unknown>): void => {
      const done = promise.catch(() => undefined).finally(() => this.watched.delete(done));
      this.watched.add(done);
    };
    this.commands = new Commands(device);
    this.pool = new Pool(device, failed, watch, ({ lastUse }) => {
      if (lastUse === this.commands.batch) this.commands.flush();
    });
    this.slots = new ArgumentSlots(device);
    this.pipelines = new Pipelines(device, failed);
    this.checks = device.createBuffer({
      label: "gradus checks",
      size: 16,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
    this.reader = new Reader(device, this.commands, this.checks);
    this.commands.beforeFlush = () => this.reader.close();
    this.programs = new Programs({
      gpu: device,
      owner: this,
      commands: this.commands,
      slots: this.slots,
      checks: this.checks,
      scratch: (bytes) => this.scratchOf(bytes),
      currentScratch: () => this.scratch,
    });
    this.tuner = new Tuner(device, adapter, tuning, () => this.programs.forgetAll());
    device.addEventListener("uncapturederror", ({ error }) => this.report(error, "the device"));
    this.lost = device.lost.then(({ reason, message }) => {
      if (this.gone !== undefined) return this.gone;
      const why = message || `the driver gives no reason (${reason})`;
      const after = this.latest === undefined ? "" : `, the latest kernel was "${this.latest}"`;
      this.gone = new GradusError(
        "device-lost",
        `gpu: the device is lost${after}: ${why}. What it held is gone: make a new one with gpu() and continue from a checkpoint`,
      );
      return this.gone;
    });
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    checkBytes(bytes, this.caps.maxBufferBytes);
    this.open.buffers++;
    this.open.bytes += bytes;
    return new GpuBuffer(bytes, this, this.pool.take(bytes));
  }

  free(buffer: Buffer): void {
    const own = this.own(buffer, "free");
    const resource = own.release();
    this.open.buffers--;
    this.open.bytes -= own.bytes;
    this.timeline.do(() => {
      this.reader.close();
      this.pool.give(resource);
    });
  }

  write(buffer: Buffer, data: ArrayBufferView, at = 0): void {
    const own = this.own(buffer, "write");
    own.checkRange("write", at, data.byteLength);
    const { resource } = own;
    if (data.byteLength === 0) return;
    // The device writes whole words. What is beyond the end of a buffer is nobody's.
    if (at % 4 === 0 && data.byteLength % 4 !== 0 && at + data.byteLength === own.bytes) {
      const padded = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
      padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      this.timeline.do(() => this.upload(resource, padded, at));
      return;
    }
    if (at % 4 !== 0 || data.byteLength % 4 !== 0) {
      this.writeUnaligned(
        resource,
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
        at,
      );
      return;
    }
    if (!this.timeline.isWaiting) {
      this.upload(resource, data, at);
      return;
    }
    const copy = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    this.timeline.do(() => this.upload(resource, copy, at));
  }

  async read(buffer: Buffer, at = 0, bytes = buffer.bytes - at): Promise<ArrayBuffer> {
    const own = this.own(buffer, "read");
    own.checkRange("read", at, bytes);
    const { resource } = own;
    return new Promise((resolve, reject) => {
      this.timeline.do(() => this.ask(resource, at, bytes, resolve, reject));
    });
  }

  compile(kernel: Kernel): Executable {
    this.checkOpen();
    validateKernel(kernel);
    checkDTypes(kernel, this.name, this.caps.dtypes);
    return new Compiled(this.nextId++, kernel, this.programOf(kernel), this);
  }

  async prepare(
    uses: readonly { readonly kernel: Kernel; readonly expected?: readonly number[] }[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<readonly Executable[]> {
    let done = 0;
    const executables = uses.map(({ kernel }) => this.compile(kernel) as Compiled);
    await Promise.all(
      uses.map(async ({ kernel, expected }, i) => {
        const { program } = executables[i] as Compiled;
        const shaders = expected === undefined ? [] : program.shadersFor(expected);
        await Promise.all(shaders.map((shader) => this.pipelines.get(shader, kernel.name).ready));
        onProgress?.(++done, uses.length);
      }),
    );
    return executables;
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    if (program.length === 0) return;
    const prepared = this.programs.prepare(program);
    const kernels = program.map(({ executable }) => executable as Compiled);
    if (!this.timeline.isWaiting && readyOf(prepared) === undefined) {
      this.execute(prepared, kernels, prepared.words);
      return;
    }
    const words = prepared.words.slice();
    prepared.queued++;
    this.timeline.do(() => this.executeLater(prepared, kernels, words));
  }

  /** Executes a program that had to wait, once its shaders are compiled. */
  private executeLater(prepared: Prepared, kernels: readonly Compiled[], words: Uint32Array): void {
    const ready = readyOf(prepared);
    // Of a lost device nothing is waited for.
    if (ready !== undefined && this.gone === undefined) {
      this.timeline.wait(Promise.race([ready, this.lost.then(() => undefined)]));
      this.timeline.doNext(() => this.executeLater(prepared, kernels, words));
      return;
    }
    prepared.isStale = true;
    this.execute(prepared, kernels, words);
    prepared.queued--;
    this.programs.release(prepared);
  }

  async profile<T>(
    f: () => T | Promise<T>,
  ): Promise<{ readonly result: T; readonly kernels: KernelProfile[] }> {
    this.checkOpen();
    if (!this.device.features.has("timestamp-query")) {
      fail(
        "unsupported",
        "profile: this graphics card, or the browser, does not time dispatches (timestamp-query)",
      );
    }
    if (this.profiler !== undefined) fail("invalid-argument", "profile: another profile is being taken");
    const profiler = new Profiler(this.device, this.commands);
    this.profiler = profiler;
    try {
      const result = await f();
      await this.timeline.idle();
      return { result, kernels: await profiler.finish() };
    } finally {
      this.profiler = undefined;
    }
  }

  tuning(): Promise<Tuning> {
    return this.tuner.tuning();
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return { ...this.open };
  }

  async dispose(): Promise<void> {
    if (this.gone === undefined) {
      this.reader.close();
      this.commands.flush();
    }
    this.gone = new GradusError("disposed", "gpu: this device was disposed");
    this.tuner.close();
    this.device.destroy();
    await this.device.lost;
  }

  private programOf(kernel: Kernel): GpuProgram {
    switch (kernel.kind) {
      case "loop":
        return new LoopProgram(kernel, this.pipelines, this.limits);
      case "contract":
        return new ContractProgram(kernel, this.pipelines, this.limits, (key) => this.tuner.chosen(key));
      case "native":
        return new NativeProgram(kernel, this.pipelines, this.limits);
    }
  }

  private execute(prepared: Prepared, kernels: readonly Compiled[], words: Uint32Array): void {
    this.reader.close();
    const { commands, device } = this;
    for (const { launch, at } of prepared.checks) {
      words[at] = this.launched.number(kernels[launch] as Compiled);
      prepared.isStale = true;
    }
    if (prepared.isStale) {
      // What is recorded already reads the arguments as they were.
      if (prepared.lastUse === commands.batch) commands.flush();
      device.queue.writeBuffer(prepared.slots.buffer, prepared.slots.at, words as Uint32Array<ArrayBuffer>);
      prepared.isStale = false;
    }
    prepared.lastUse = commands.batch;
    this.latest = kernels.at(-1)?.kernel.name;
    this.executeSteps(prepared.steps, 0);
    prepared.lastUse = commands.batch;
    if (this.autotune) this.tuner.see(prepared.trials);
  }

  private executeSteps(steps: readonly Step[], from: number): void {
    const { commands } = this;
    for (let i = from; i < steps.length; i++) {
      const step = steps[i] as Step;
      if (step.kind === "dispatch") {
        const { dispatch, group, offset, resources } = step;
        const { compute } = dispatch.pipeline;
        // It was reported if it could not be compiled.
        if (dispatch.workgroups === 0 || compute === undefined) continue;
        for (const resource of resources) commands.use(resource);
        const record = (): void => commands.dispatch(compute, group, offset, dispatch.workgroups);
        if (this.profiler === undefined) record();
        else {
          const name = step.kernel;
          commands.timed(
            this.profiler.next({ name, bytes: step.bytes, operations: dispatch.operations }),
            record,
          );
        }
      } else if (step.kind === "copy") {
        commands.use(step.from);
        commands.use(step.to);
        commands.copy(step.from.buffer, step.fromAt, step.to.buffer, step.toAt, step.bytes);
      } else {
        this.timeline.wait(this.computeOnHost(step));
        this.timeline.doNext(() => this.executeSteps(steps, i + 1));
        return;
      }
    }
  }

  /** Brings a native's inputs to the host, computes, and brings the outputs back. What comes later waits. */
  private async computeOnHost({ work, buffers, lengths }: Extract<Step, { kind: "host" }>): Promise<void> {
    const { kernel, sizes } = work;
    const data = await Promise.all(
      buffers.map(
        (resource, i) =>
          new Promise<ArrayBuffer>((resolve, reject) => {
            const bytes = lengths[i] as number;
            this.reader.ask({ resource, at: 0, bytes, resolve, reject, reportsChecks: false });
          }),
      ),
    );
    const all = [...kernel.inputs, ...kernel.outputs];
    const views = data.map((bytes, i) => {
      const values = typedArray(all[i] as DType, bytes);
      return { data: values, length: values.length };
    });
    try {
      const failed = (message: string): void => {
        this.pending ??= launchError(kernel, message);
      };
      runNative({ kernel, buffers: views, sizes, failed });
    } catch (error) {
      this.pending ??= error as GradusError;
    }
    views.slice(kernel.inputs.length).forEach((view, k) => {
      this.upload(buffers[kernel.inputs.length + k] as Resource, view.data as ArrayBufferView, 0);
    });
  }

  private ask(
    resource: Resource,
    at: number,
    bytes: number,
    resolve: (bytes: ArrayBuffer) => void,
    reject: (error: unknown) => void,
  ): void {
    const { pending } = this;
    this.pending = undefined;
    const errorOf = this.launched.take();
    this.reader.ask({
      resource,
      at,
      bytes,
      reportsChecks: errorOf !== undefined,
      resolve: (data, failed) => {
        void this.settle().then(() => {
          const error = pending ?? errorOf?.(failed) ?? this.takePending();
          if (error !== undefined) reject(error);
          else resolve(data);
        });
      },
      reject: (error) => {
        void Promise.race([this.lost, Promise.resolve()]).then(() => reject(this.gone ?? pending ?? error));
      },
    });
  }

  /** Waits for what the device has to say about what it was given. */
  private async settle(): Promise<void> {
    while (this.watched.size > 0) await Promise.all(this.watched);
  }

  private takePending(): GradusError | undefined {
    const { pending } = this;
    this.pending = undefined;
    return pending;
  }

  private upload(resource: Resource, data: ArrayBufferView, at: number): void {
    this.reader.close();
    // What is recorded comes first, if it has to do with this memory.
    if (resource.lastUse === this.commands.batch) this.commands.flush();
    this.device.queue.writeBuffer(
      resource.buffer,
      at,
      data.buffer as ArrayBuffer,
      data.byteOffset,
      data.byteLength,
    );
  }

  /** The device writes whole words, so the words around the ends are read first. */
  private writeUnaligned(resource: Resource, bytes: Uint8Array, at: number): void {
    this.timeline.do(() => {
      const first = Math.floor(at / 4) * 4;
      const length = Math.ceil((at + bytes.length) / 4) * 4 - first;
      const words = new Promise<ArrayBuffer>((resolve, reject) => {
        this.reader.ask({ resource, at: first, bytes: length, resolve, reject, reportsChecks: false });
      });
      this.timeline.wait(
        words.then((buffer) => {
          const all = new Uint8Array(buffer);
          all.set(bytes, at - first);
          this.upload(resource, all, first);
        }),
      );
    });
  }

  private scratchOf(bytes: number): Resource {
    if (this.scratch !== undefined && this.scratch.bytes >= bytes) return this.scratch;
    const { scratch } = this;
    // Programs that wait may still use it.
    if (scratch !== undefined) this.timeline.do(() => this.pool.give(scratch));
    this.scratch = this.pool.take(bytes);
    return this.scratch;
  }

  private report(error: { readonly message: string }, what: string): void {
    const isMemory = "GPUOutOfMemoryError" in globalThis && error instanceof GPUOutOfMemoryError;
    const code = isMemory || /out.?of.?memory/i.test(error.message) ? "out-of-memory" : "kernel-invalid";
    const made = new GradusError(code, `gpu: ${what}: ${error.message}`);
    // A kernel's own error says more than what follows from it.
    if (this.pending === undefined || (what !== "the device" && this.pendingIsVague)) this.pending = made;
    this.pendingIsVague = what === "the device";
  }

  private own(buffer: Buffer, what: string): GpuBuffer {
    this.checkOpen();
    if (!(buffer instanceof GpuBuffer) || buffer.owner !== this) {
      fail("device-mismatch", `${what}: the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `${what}: the buffer was freed before`);
    return buffer;
  }

  private checkOpen(): void {
    if (this.gone !== undefined) throw this.gone;
  }
}

/** Resolves when all shaders of a program are compiled; undefined if they are. */
function readyOf(prepared: Prepared): Promise<void> | undefined {
  if (prepared.isCompiled) return undefined;
  const waiting = prepared.steps.flatMap((step) =>
    step.kind === "dispatch" && step.dispatch.pipeline.ready !== undefined
      ? [step.dispatch.pipeline.ready]
      : [],
  );
  prepared.isCompiled = waiting.length === 0;
  return prepared.isCompiled ? undefined : Promise.all(waiting).then(() => undefined);
}
