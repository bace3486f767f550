import {
  type Backend,
  type Buffer,
  checkDTypes,
  checkLaunch,
  type DType,
  type Executable,
  fail,
  GradusError,
  interpreter,
  type Kernel,
  type Launch,
  launchError,
  validateKernel,
} from "@gradus/core";
import { Card, type Cells } from "./card.js";
import { Compiled, type Pass } from "./compiled.js";
import type { Argument } from "./emit/part-text.js";
import { Residency } from "./residency.js";
import { kindOf, WebglBuffer } from "./webgl-buffer.js";

/** A graphics card by WebGL. */
export interface WebglDevice extends Backend {
  /** The card's name, as far as the browser tells. */
  readonly adapter: string;
  /** Whether the card is the processor after all: a software driver, which is slower than `cpu()`. */
  readonly isSoftware: boolean;
}

const dtypes: readonly DType[] = ["bool", "i32", "f32"];
/** Checks that nobody has read yet: so many are kept before they are looked at. */
const MAX_CHECKS = 64;

/** What a launch found wrong, or may have found: elements that are 0 where a check failed. */
type Finding =
  | { readonly error: GradusError }
  | { readonly kernel: Kernel; readonly message: string; readonly holds: Cells };

/**
 * The device behind `webgl()`. WebGL works in order and can be waited for, so everything is done at the call; what shaders cannot
 * do, or not exactly, is done by the interpreter on the host's memory.
 */
export class WebglBackend implements WebglDevice {
  readonly name = "webgl";
  readonly caps;
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly lost: Promise<Error>;
  private readonly host = interpreter({ precision: "float32" });
  private readonly card: Card;
  private readonly residency: Residency;
  private findings: Finding[] = [];
  private usage = { buffers: 0, bytes: 0 };
  private gone: GradusError | undefined;

  constructor(mode: "webgl2" | "cpu") {
    this.card = new Card(mode);
    this.residency = new Residency(this.card, this.host);
    this.adapter = this.card.adapter;
    this.isSoftware = this.card.isSoftware;
    const maxBufferBytes = 4 * this.card.maxElements;
    this.caps = { dtypes, collected: false, maxBufferBytes, maxBuffers: 15, copiesRest: true };
    this.lost = this.card.lost.then((why) => {
      this.gone ??= new GradusError(
        "device-lost",
        `webgl: ${why}. What the device held is gone: make a new one with webgl() and continue from a checkpoint`,
      );
      return this.gone;
    });
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    if (!Number.isInteger(bytes) || bytes < 0) {
      fail("invalid-argument", `alloc: expected a whole number of bytes, got ${bytes}`);
    }
    if (bytes > this.caps.maxBufferBytes) {
      const { buffers, bytes: used } = this.usage;
      fail(
        "out-of-memory",
        `alloc: ${bytes} bytes do not fit: a texture of this device holds ${this.caps.maxBufferBytes}; ` +
          `${buffers} buffers with ${used} bytes are in use`,
      );
    }
    this.usage = { buffers: this.usage.buffers + 1, bytes: this.usage.bytes + bytes };
    return new WebglBuffer(bytes, this);
  }

  free(buffer: Buffer): void {
    const own = this.own(buffer, "free");
    this.residency.release(own);
    this.usage = { buffers: this.usage.buffers - 1, bytes: this.usage.bytes - own.bytes };
  }

  write(buffer: Buffer, data: ArrayBufferView, at = 0): void {
    const own = this.own(buffer, "write");
    own.checkRange("write", at, data.byteLength);
    const memory = this.residency.changeOnHost(own, data.byteLength === own.bytes);
    this.host.write(memory, data, at);
  }

  async read(buffer: Buffer, at?: number, bytes?: number): Promise<ArrayBuffer> {
    return this.readSync(buffer, at, bytes);
  }

  readSync(buffer: Buffer, at = 0, bytes = buffer.bytes - at): ArrayBuffer {
    const own = this.own(buffer, "read");
    own.checkRange("read", at, bytes);
    const error = this.takeError();
    if (error !== undefined) throw error;
    const memory = this.residency.onHost(own);
    // What was downloaded from a context that is gone is nothing.
    this.checkOpen();
    return this.host.readSync?.(memory, at, bytes) as ArrayBuffer;
  }

  compile(kernel: Kernel): Executable {
    this.checkOpen();
    validateKernel(kernel);
    checkDTypes(kernel, this.name, this.caps.dtypes);
    return new Compiled(kernel, this, this.card);
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    for (const launch of program) {
      const { executable } = launch;
      if (!(executable instanceof Compiled) || executable.owner !== this) {
        fail("device-mismatch", `run: kernel "${executable.kernel.name}" was compiled by another device`);
      }
      checkLaunch(launch);
    }
    for (const launch of program) this.launch(launch.executable as Compiled, launch);
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return this.usage;
  }

  async dispose(): Promise<void> {
    if (this.gone?.code === "disposed") return;
    this.gone = new GradusError("disposed", "webgl: this device was disposed");
    await this.card.dispose();
  }

  private launch(compiled: Compiled, { buffers, sizes, params }: Launch): void {
    const { kernel } = compiled;
    const own = buffers.map((buffer) => this.own(buffer, `kernel "${kernel.name}"`));
    const outputs = own.slice(kernel.inputs.length);
    const passes = compiled.passes({
      sizes,
      params,
      bounds: kernel.inputs.map((dtype, k) =>
        dtype === "i32" ? this.residency.boundOf(own[k] as WebglBuffer) : Infinity,
      ),
      lengths: outputs.map(({ length }) => length),
    });
    if (passes === undefined) this.runOnHost(compiled, own, { sizes, params });
    else for (const pass of passes) this.runOnCard(kernel, own, pass);
  }

  private runOnCard(kernel: Kernel, buffers: readonly WebglBuffer[], { steps, sizes, params }: Pass): void {
    const inputs = kernel.inputs.length;
    const stages: (Cells | undefined)[] = [];
    const made: (Cells | undefined)[] = kernel.outputs.map(() => undefined);
    const bounds: number[] = [];
    for (const { kernel: part, args, output: shape, numbers, result } of steps) {
      const written = result.kind === "outputs" ? (result.outputs[0]?.index ?? 0) : 0;
      const valueFor = (arg: Argument): Cells | number => {
        switch (arg.kind) {
          case "input":
            return this.residency.onCard(
              buffers[arg.index] as WebglBuffer,
              kernel.inputs[arg.index] as DType,
            );
          case "stage":
          case "fours":
            return stages[arg.index] as Cells;
          case "previous":
            return (
              made[written] ??
              this.residency.onCard(
                buffers[inputs + written] as WebglBuffer,
                kernel.outputs[written] as DType,
              )
            );
          case "size":
            return sizes[arg.axis] as number;
          case "param":
            return params[arg.index] as number;
          case "number":
            return numbers.get(arg.name) as number;
        }
      };
      const results = part.run(shape, args.map(valueFor));
      const keep = (list: (Cells | undefined)[], index: number, cells: Cells): void => {
        const before = list[index];
        if (before !== undefined) this.card.free(before);
        list[index] = cells;
      };
      switch (result.kind) {
        case "check":
          this.note({ kernel, message: result.message, holds: results[0] as Cells });
          break;
        case "stage":
          for (const [k, cells] of results.entries()) keep(stages, result.index + k, cells);
          break;
        case "outputs":
          for (const [k, { index, bound }] of result.outputs.entries()) {
            const isMixed = args.some(({ kind }) => kind === "previous") && kernel.outputs[index] !== "f32";
            const rest = isMixed ? this.residency.boundOf(buffers[inputs + index] as WebglBuffer) : 0;
            keep(made, index, results[k] as Cells);
            bounds[index] = Math.max(bounds[index] ?? 0, bound, rest);
          }
      }
    }
    for (const cells of stages) if (cells !== undefined) this.card.free(cells);
    made.forEach((cells, k) => {
      if (cells === undefined) return;
      const kind = kindOf(kernel.outputs[k] as DType);
      this.residency.setCard(buffers[inputs + k] as WebglBuffer, { cells, kind, bound: bounds[k] as number });
    });
  }

  private runOnHost(
    compiled: Compiled,
    buffers: readonly WebglBuffer[],
    { sizes, params }: Pick<Launch, "sizes" | "params">,
  ): void {
    const { kernel } = compiled;
    compiled.onHost ??= this.host.compile(kernel);
    const memory = buffers.map((buffer, k) =>
      k < kernel.inputs.length ? this.residency.onHost(buffer) : this.residency.changeOnHost(buffer, false),
    );
    this.host.run([{ executable: compiled.onHost, buffers: memory, sizes, params }]);
    const nothing = this.host.alloc(0);
    try {
      this.host.readSync?.(nothing);
    } catch (error) {
      this.note({ error: error as GradusError });
    }
    this.host.free(nothing);
  }

  private note(finding: Finding): void {
    this.findings.push(finding);
    if (this.findings.length <= MAX_CHECKS) return;
    const error = this.takeError();
    if (error !== undefined) this.findings.push({ error });
  }

  /** The first thing that went wrong since the last call. */
  private takeError(): GradusError | undefined {
    const { findings } = this;
    this.findings = [];
    let first: GradusError | undefined;
    for (const finding of findings) {
      if ("error" in finding) first ??= finding.error;
      else {
        if (first === undefined && this.card.download(finding.holds).includes(0))
          first = launchError(finding.kernel, finding.message);
        this.card.free(finding.holds);
      }
    }
    return first;
  }

  private own(buffer: Buffer, what: string): WebglBuffer {
    this.checkOpen();
    if (!(buffer instanceof WebglBuffer) || buffer.owner !== this) {
      fail("device-mismatch", `${what}: the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `${what}: the buffer was freed before`);
    return buffer;
  }

  private checkOpen(): void {
    if (this.gone === undefined && this.card.isLost) {
      this.gone = new GradusError(
        "device-lost",
        "webgl: the browser took the WebGL context away. What the device held is gone: make a new one with webgl()",
      );
    }
    if (this.gone !== undefined) throw this.gone;
  }
}
