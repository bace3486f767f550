import {
  type Backend,
  type Buffer,
  dtypes,
  type Executable,
  fail,
  formatShape,
  GradusError,
  type Kernel,
  type Launch,
  launchError,
  validateKernel,
} from "@gradus/core";
import { contractProgram } from "./contract.js";
import { Heap, HostBuffer, MAX_BUFFER_BYTES } from "./host-buffer.js";
import { nativeProgram } from "./natives.js";
import { loopProgram, type Program } from "./program.js";
import { Scratch } from "./scratch.js";

export interface CpuOptions {
  /**
   * Whether unreachable buffers are collected, as ordinary objects are. Default true. With false the device claims to be
   * one like a GPU, whose buffers must be freed, so that tests find leaks.
   */
  readonly collected?: boolean;
}

/**
 * The processor, by WebAssembly with vector instructions: each kernel becomes a small module. One thread; f32, f64, i32 and
 * bool. Buffers are ordinary memory, and are copied to where the modules work and back in each `run`.
 *
 * Modules are compiled where they are needed, without waiting. Browsers refuse that on the main thread for large modules
 * (Chromium above 8 MB, before version 115 above 4 KB: use a worker there).
 *
 * Throws `unsupported` where WebAssembly is missing or a content security policy forbids it (`script-src
 * 'wasm-unsafe-eval'` allows it): use `interpreter()` of `@gradus/core` there.
 *
 * @example
 * ```ts
 * import { cpu } from "@gradus/backend-cpu";
 * const device = await cpu();
 * device.name; // → cpu
 * ```
 */
export async function cpu(options: CpuOptions = {}): Promise<Backend> {
  try {
    // A function of one vector instruction.
    await WebAssembly.compile(Uint8Array.from(PROBE));
  } catch (cause) {
    throw new GradusError(
      "unsupported",
      `cpu: this host does not run WebAssembly with vectors (${String(cause)}). Use interpreter() of @gradus/core instead; where a content security policy forbids it, allow 'wasm-unsafe-eval'`,
      { cause },
    );
  }
  return new Cpu(options.collected ?? true);
}

const PROBE = [
  ...[
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98,
    11,
  ],
];

class Compiled implements Executable {
  constructor(
    readonly kernel: Kernel,
    readonly program: Program,
    readonly owner: Cpu,
    /** How many sizes a launch must bring; undefined where the native decides. */
    readonly axes: number | undefined,
  ) {}
}

class Cpu implements Backend {
  readonly name = "cpu";
  readonly caps;
  private readonly heap = new Heap();
  private readonly scratch = new Scratch();
  /** The first failed check since the last read. */
  private pending: GradusError | undefined;
  private isDisposed = false;

  constructor(collected: boolean) {
    this.caps = { dtypes, collected, maxBufferBytes: MAX_BUFFER_BYTES, maxBuffers: 256 };
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    return this.heap.alloc(bytes);
  }

  free(buffer: Buffer): void {
    this.heap.free(this.own(buffer, "free"));
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
    const { scratch } = this;
    switch (kernel.kind) {
      case "loop":
        return new Compiled(kernel, loopProgram(kernel, scratch), this, kernel.axes);
      case "contract": {
        const { batch, m, n, k } = kernel.groups;
        return new Compiled(kernel, contractProgram(kernel, scratch), this, batch + m + n + k);
      }
      case "native":
        return new Compiled(kernel, nativeProgram(kernel, scratch), this, undefined);
    }
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    this.scratch.begin();
    try {
      for (const launch of program) this.launch(launch);
    } finally {
      this.scratch.finish();
    }
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return this.heap.usage();
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
  }

  private launch({ executable, buffers, sizes, params }: Launch): void {
    if (!(executable instanceof Compiled) || executable.owner !== this) {
      fail("device-mismatch", `run: kernel "${executable.kernel.name}" was compiled by another device`);
    }
    const { kernel, program, axes } = executable;
    const { name, inputs, outputs } = kernel;
    checkCount(name, "buffers", buffers, inputs.length + outputs.length);
    checkCount(name, "sizes", sizes, axes ?? sizes.length);
    checkCount(name, "params", params, kernel.params.length);
    if (!sizes.every((size) => Number.isInteger(size) && size >= 0)) {
      fail(
        "kernel-invalid",
        `kernel "${name}": sizes must be whole numbers of at least 0, got ${formatShape(sizes)}`,
      );
    }
    checkAliases(kernel, buffers);
    const own = buffers.map((buffer) => this.own(buffer, `kernel "${name}"`));
    for (const buffer of own) this.scratch.place(buffer);
    for (const buffer of own.slice(inputs.length)) buffer.isWritten = true;
    const message = program({ buffers: own, sizes, params });
    if (message !== undefined) {
      this.pending ??= launchError(kernel, message);
    }
  }

  private own(buffer: Buffer, what: string): HostBuffer {
    this.checkOpen();
    if (!(buffer instanceof HostBuffer) || buffer.owner !== this.heap) {
      fail("device-mismatch", `${what}: the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `${what}: the buffer was freed before`);
    return buffer;
  }

  private checkOpen(): void {
    if (this.isDisposed) fail("disposed", "cpu: this device was disposed");
  }
}

function checkCount(kernel: string, what: string, list: readonly unknown[], expected: number): void {
  if (list.length === expected) return;
  fail("kernel-invalid", `kernel "${kernel}" takes ${expected} ${what}, but the launch has ${list.length}`);
}

/** An output is in an input's buffer exactly where the kernel says so: it was made for that. */
function checkAliases({ name, inputs, outputs, aliases }: Kernel, buffers: readonly Buffer[]): void {
  for (let k = 0; k < outputs.length; k++) {
    for (let i = 0; i < inputs.length; i++) {
      const shared = buffers[i] === buffers[inputs.length + k];
      if (shared === (aliases?.[k] === i)) continue;
      const problem = shared ? "but the kernel does not say so" : "as the kernel says";
      const is = shared ? "is" : "is not";
      fail("kernel-invalid", `kernel "${name}": output ${k} ${is} in the buffer of input ${i}, ${problem}`);
    }
  }
}
