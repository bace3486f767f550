import type { Backend, Buffer, Executable, Launch } from "../backend.js";
import { checkLaunch } from "../check-launch.js";
import { bytesOf, dtypes } from "../dtype.js";
import { fail, type GradusError } from "../errors.js";
import type { Kernel } from "../ir/kernel.js";
import { validateKernel } from "../ir/validate.js";
import { contractProgram } from "./contract.js";
import type { BufferView } from "./frame.js";
import { loopProgram, type Program } from "./loop.js";
import { HostBuffer, MAX_BUFFER_BYTES, Memory } from "./memory.js";
import { runNative } from "./natives/index.js";
import { launchError } from "./natives/native.js";
import { type Precision, RegisterPool } from "./registers.js";

export interface InterpreterOptions {
  /**
   * How f32 expressions are computed. `float64` (the default): in float64, and rounded when they are stored. `float32`:
   * every operation rounds, as on a device (a stage's sum and a contraction are one operation), so that results can be
   * compared with a device's.
   */
  readonly precision?: Precision;
  /**
   * Whether unreachable buffers are collected, as ordinary objects are. Default true. With false the interpreter claims
   * to be a device like a GPU, whose buffers must be freed, so that tests find leaks.
   */
  readonly collected?: boolean;
}

/**
 * The reference backend: it evaluates kernels in plain JavaScript, without generating code, so it also runs under a
 * content security policy that forbids that. What it computes is what the kernel language means; other backends are
 * compared with it.
 *
 * @example
 * ```ts
 * import { interpreter } from "@gradus/core";
 * const device = interpreter({ precision: "float32" });
 * device.name; // → interpreter
 * ```
 */
export function interpreter(options: InterpreterOptions = {}): Backend {
  return new Interpreter(options.precision ?? "float64", options.collected ?? true);
}

class Compiled implements Executable {
  constructor(
    readonly kernel: Kernel,
    readonly program: Program,
    readonly owner: Interpreter,
  ) {}
}

class Interpreter implements Backend {
  readonly name = "interpreter";
  readonly caps;
  private readonly store = new Memory();
  private readonly pool: RegisterPool;
  /** The first failed check since the last read. */
  private pending: GradusError | undefined;
  private isDisposed = false;

  constructor(precision: Precision, collected: boolean) {
    this.caps = { dtypes, collected, maxBufferBytes: MAX_BUFFER_BYTES, maxBuffers: Number.POSITIVE_INFINITY };
    this.pool = new RegisterPool(precision);
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    return this.store.alloc(bytes);
  }

  free(buffer: Buffer): void {
    this.store.free(this.own(buffer, "free"));
  }

  write(buffer: Buffer, data: ArrayBufferView, at = 0): void {
    this.own(buffer, "write").write(data, at);
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
    return own.read(at, bytes);
  }

  compile(kernel: Kernel): Executable {
    this.checkOpen();
    validateKernel(kernel);
    switch (kernel.kind) {
      case "loop":
        return new Compiled(kernel, loopProgram(kernel, this.pool), this);
      case "contract":
        return new Compiled(kernel, contractProgram(kernel, this.pool), this);
      case "native": {
        const run: Program["run"] = (buffers, sizes, _params, failed) =>
          runNative({ kernel, buffers, sizes, failed });
        return new Compiled(kernel, { run }, this);
      }
    }
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    for (const launch of program) this.launch(launch);
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return this.store.usage();
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
  }

  private launch(launch: Launch): void {
    const { executable, buffers, sizes, params } = launch;
    if (!(executable instanceof Compiled) || executable.owner !== this) {
      fail("device-mismatch", `run: kernel "${executable.kernel.name}" was compiled by another device`);
    }
    const { kernel, program } = executable;
    const { name, inputs, outputs } = kernel;
    checkLaunch(launch);
    const count = inputs.length + outputs.length;
    const views = new Array<BufferView>(count);
    for (let i = 0; i < count; i++) {
      const dtype = (i < inputs.length ? inputs[i] : outputs[i - inputs.length]) as "f32";
      const { bytes } = buffers[i] as Buffer;
      const data = this.own(buffers[i] as Buffer, `kernel "${name}"`).as(dtype);
      views[i] = { data, length: Math.floor(bytes / bytesOf(dtype)) };
    }
    program.run(views, sizes, params, (message) => {
      this.pending ??= launchError(kernel, message);
    });
  }

  private own(buffer: Buffer, what: string): HostBuffer {
    this.checkOpen();
    if (!(buffer instanceof HostBuffer) || buffer.owner !== this.store) {
      fail("device-mismatch", `${what}: the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `${what}: the buffer was freed before`);
    return buffer;
  }

  private checkOpen(): void {
    if (this.isDisposed) fail("disposed", "interpreter: this device was disposed");
  }
}
