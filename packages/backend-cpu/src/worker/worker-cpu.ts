import {
  type Backend,
  type Buffer,
  type Caps,
  checkDTypes,
  checkLaunch,
  type Executable,
  fail,
  GradusError,
  type Kernel,
  type Launch,
  launchError,
  validateKernel,
} from "@gradus/core";
import { Cpu } from "../cpu-device.js";
import { dtypes } from "../dtypes.js";
import { failedCheck } from "../launch-check.js";
import { Allocator, type Block } from "../memory/allocator.js";
import { MAX_BUFFER_BYTES } from "../memory/residency.js";
import { paramsAt } from "../program.js";
import { encodeModule, type WasmModule } from "../wasm/encode.js";
import { type FromEngine, type Link, type LinkEvents, openLink, type ToEngine } from "./link.js";
import { RemoteBuffer, RemoteKernel } from "./remote.js";

/** Arguments of launches lie before the buffers. */
const ARGUMENTS = 0;
const FIRST_BUFFER = 65536;
const MAX_BYTES = 2 ** 32 - 65536;

interface Read {
  resolve(data: ArrayBuffer): void;
  reject(error: unknown): void;
}

/**
 * A device in a worker. Here kernels become code and buffers get their places; the memory and the work are there. Calls
 * return at once, and errors of the work come with the next read.
 */
export class WorkerCpu implements Backend {
  readonly name = "cpu";
  readonly caps: Caps = { dtypes, collected: false, maxBufferBytes: MAX_BUFFER_BYTES, maxBuffers: 256 };
  readonly lost: Promise<Error>;
  readonly readSync?: NonNullable<Backend["readSync"]>;
  /** Resolves when the worker has come up. */
  readonly ready: Promise<void>;
  private readonly allocator = new Allocator(FIRST_BUFFER, (end) => this.reach(end));
  private end = FIRST_BUFFER;
  private readonly link: Link;
  private readonly modules = new WeakMap<WasmModule, number>();
  private readonly kernels: WeakRef<Kernel>[] = [];
  private readonly reads = new Map<number, Read>();
  private readonly hosted = new Map<number, { readonly kernel: RemoteKernel; readonly launch: Launch }>();
  private nextId = 1;
  private buffers = 0;
  private bytes = 0;
  private scratch: Block | undefined;
  private pending: unknown;
  private failure: GradusError | undefined;
  private isDisposed = false;
  /** Runs what needs JavaScript. */
  private local: Cpu | undefined;
  private readonly collected = new FinalizationRegistry<{ readonly block: Block; readonly bytes: number }>(
    ({ block, bytes }) => this.giveBack(block, bytes),
  );
  private readonly unused = new FinalizationRegistry<number>((id) => this.send({ kind: "unload", id }));
  private tellLost: (error: Error) => void = () => {};
  private tellReady: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(open: (events: LinkEvents) => Link = openLink) {
    this.lost = new Promise((resolve) => {
      this.tellLost = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.tellReady = { resolve, reject };
    });
    this.link = open({ onMessage: (message) => this.receive(message), onEnd: (why) => this.ended(why) });
    this.link.await(true);
    const { handleUntil } = this.link;
    if (handleUntil !== undefined) {
      this.readSync = (buffer, at, bytes) => {
        let result: ArrayBuffer | undefined;
        let error: unknown;
        const read: Read = {
          resolve: (data) => {
            result = data;
          },
          reject: (reason) => {
            error = reason;
          },
        };
        this.request(buffer, at, bytes, read);
        handleUntil(() => result !== undefined || error !== undefined);
        if (error !== undefined) throw error;
        return result ?? this.failLost("it ended");
      };
    }
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    if (!Number.isInteger(bytes) || bytes < 0) {
      fail("invalid-argument", `alloc: expected a whole number of bytes, got ${bytes}`);
    }
    const block = bytes > MAX_BUFFER_BYTES ? undefined : this.allocator.allocate(bytes);
    if (block === undefined) return this.exhausted(bytes);
    const buffer = new RemoteBuffer(bytes, block, this);
    this.collected.register(buffer, { block, bytes }, buffer);
    this.buffers++;
    this.bytes += bytes;
    return buffer;
  }

  free(buffer: Buffer): void {
    const own = this.own(buffer, "free");
    this.collected.unregister(own);
    own.isReleased = true;
    this.giveBack(own.block, own.bytes);
  }

  write(buffer: Buffer, data: ArrayBufferView, at = 0): void {
    const own = this.own(buffer, "write");
    own.checkRange("write", at, data.byteLength);
    const copy = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    this.send({ kind: "write", address: own.block.address + at, data: copy }, [copy.buffer]);
  }

  read(buffer: Buffer, at?: number, bytes?: number): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => this.request(buffer, at, bytes, { resolve, reject }));
  }

  compile(kernel: Kernel): Executable {
    this.checkOpen();
    validateKernel(kernel);
    checkDTypes(kernel, this.name, dtypes);
    this.kernels.push(new WeakRef(kernel));
    return new RemoteKernel(kernel, this, this.kernels.length - 1);
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    const messages: ToEngine[] = [];
    for (const launch of program) this.translate(launch, messages);
    if (messages.length > 0) this.link.send(messages, []);
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return { buffers: this.buffers, bytes: this.bytes };
  }

  async dispose(): Promise<void> {
    if (this.isDisposed) return;
    this.isDisposed = true;
    await this.link.terminate();
    await this.local?.dispose();
    this.rejectReads(new GradusError("disposed", "read: the device was disposed"));
  }

  /** The messages of a launch, which is checked here: where it was called. */
  private translate(launch: Launch, messages: ToEngine[]): void {
    const { executable, buffers, sizes, params } = launch;
    if (!(executable instanceof RemoteKernel) || executable.owner !== this) {
      fail("device-mismatch", `run: kernel "${executable.kernel.name}" was compiled by another device`);
    }
    const { kernel, program, id } = executable;
    const own = buffers.map((buffer) => this.own(buffer, `kernel "${kernel.name}"`));
    checkLaunch(launch);
    if (program.kind === "host") {
      const call = this.nextId++;
      const copy = { executable, buffers: own, sizes: [...sizes], params: [...params] };
      this.hosted.set(call, { kernel: executable, launch: copy });
      const places = own.map(({ block, bytes }) => ({ address: block.address, bytes }));
      messages.push({ kind: "host", id: call, buffers: places });
      return;
    }
    const scratch = program.scratch?.(sizes, 1) ?? 0;
    if (scratch > (this.scratch?.bytes ?? 0)) {
      const larger = this.allocator.allocate(scratch) ?? this.exhausted(scratch);
      if (this.scratch !== undefined) this.allocator.release(this.scratch);
      this.scratch = larger;
    }
    messages.push({
      kind: "run",
      kernel: id,
      phases: program.phases(sizes).map(({ module, entry }) => ({ module: this.load(module), entry })),
      args: ARGUMENTS,
      words: [...own.map(({ block }) => block.address), ...sizes, this.scratch?.address ?? 0],
      paramsAt: paramsAt(own.length, sizes.length),
      params: [...params],
    });
  }

  private load(module: WasmModule): number {
    let id = this.modules.get(module);
    if (id === undefined) {
      id = this.nextId++;
      this.modules.set(module, id);
      this.unused.register(module, id);
      // Ahead of the launch, whose messages are still being collected.
      this.send({ kind: "load", id, bytes: encodeModule(module, false) });
    }
    return id;
  }

  private request(buffer: Buffer, at = 0, bytes = buffer.bytes - at, read: Read): void {
    const own = this.own(buffer, "read");
    own.checkRange("read", at, bytes);
    const id = this.nextId++;
    this.reads.set(id, read);
    this.link.await(true);
    this.send({ kind: "read", id, address: own.block.address + at, bytes });
  }

  private receive(message: FromEngine): void {
    switch (message.kind) {
      case "ready":
        this.tellReady?.resolve();
        this.link.await(this.reads.size > 0);
        break;
      case "failed": {
        const kernel = this.kernels[message.kernel]?.deref();
        const text = kernel === undefined ? "a check failed" : failedCheck(kernel, message.number);
        if (text === undefined) break;
        this.pending ??=
          kernel === undefined ? new GradusError("index-out-of-range", text) : launchError(kernel, text);
        break;
      }
      case "error": {
        const { code, message: text } = message.error;
        this.pending ??= code === "out-of-memory" ? new GradusError(code, text) : new Error(text);
        break;
      }
      case "host":
        this.runHere(message.id, message.contents);
        break;
      case "data": {
        const read = this.reads.get(message.id);
        this.reads.delete(message.id);
        if (this.reads.size === 0) this.link.await(false);
        const { pending } = this;
        this.pending = undefined;
        if (pending !== undefined) read?.reject(pending);
        else read?.resolve(message.data.buffer);
        break;
      }
      default:
        message satisfies never;
    }
  }

  /** Runs on this thread what the worker cannot, on copies of its buffers. */
  private runHere(id: number, contents: readonly Uint8Array[]): void {
    const call = this.hosted.get(id);
    this.hosted.delete(id);
    if (call === undefined) return;
    const { kernel, launch } = call;
    const results: { address: number; data: Uint8Array }[] = [];
    try {
      this.local ??= new Cpu({ collected: true, threads: 1 });
      const { local } = this;
      kernel.local ??= local.compile(kernel.kernel);
      const copies = new Map<Buffer, Buffer>();
      launch.buffers.forEach((buffer, k) => {
        if (copies.has(buffer)) return;
        const copy = local.alloc(buffer.bytes);
        local.write(copy, contents[k] as Uint8Array);
        copies.set(buffer, copy);
      });
      const buffers = launch.buffers.map((buffer) => copies.get(buffer) as Buffer);
      local.run([{ ...launch, executable: kernel.local, buffers }]);
      launch.buffers.slice(kernel.kernel.inputs.length).forEach((buffer) => {
        const copy = copies.get(buffer) as Buffer;
        let data: ArrayBuffer;
        try {
          data = local.readSync(copy);
        } catch (error) {
          // What the launch found wrong, once: the outputs are there all the same.
          this.pending ??= error;
          data = local.readSync(copy);
        }
        results.push({ address: (buffer as RemoteBuffer).block.address, data: new Uint8Array(data) });
      });
      for (const copy of copies.values()) local.free(copy);
    } catch (error) {
      this.pending ??= error;
    }
    this.send({ kind: "hosted", results });
  }

  private send(message: ToEngine, transfer: readonly ArrayBufferLike[] = []): void {
    if (this.isDisposed || this.failure !== undefined) return;
    this.link.send([message], transfer);
  }

  private reach(end: number): boolean {
    if (end > MAX_BYTES) return false;
    if (end <= this.end) return true;
    this.end = end;
    const refused = `run: the worker's WebAssembly memory cannot grow to ${end} bytes: `;
    this.send({ kind: "grow", end, refused });
    return true;
  }

  private giveBack(block: Block, bytes: number): void {
    this.allocator.release(block);
    this.buffers--;
    this.bytes -= bytes;
  }

  private own(buffer: Buffer, what: string): RemoteBuffer {
    this.checkOpen();
    if (!(buffer instanceof RemoteBuffer) || buffer.owner !== this) {
      fail("device-mismatch", `${what}: the buffer belongs to another device`);
    }
    if (buffer.isReleased) fail("disposed", `${what}: the buffer was freed before`);
    return buffer;
  }

  private checkOpen(): void {
    if (this.isDisposed) fail("disposed", "cpu: this device was disposed");
    if (this.failure !== undefined) throw this.failure;
  }

  private ended(why: string): void {
    if (this.isDisposed || this.failure !== undefined) return;
    this.failure = new GradusError(
      "device-lost",
      `cpu: the worker that this device lives in ended (${why}). What was in its memory is lost; make a new device`,
    );
    this.tellReady?.reject(this.failure);
    this.tellLost(this.failure);
    this.rejectReads(this.failure);
  }

  private rejectReads(error: unknown): void {
    const reads = [...this.reads.values()];
    this.reads.clear();
    for (const read of reads) read.reject(error);
    this.link.await(false);
  }

  private failLost(why: string): never {
    this.ended(why);
    throw this.failure;
  }

  private exhausted(bytes: number): never {
    return fail(
      "out-of-memory",
      `alloc: ${bytes} bytes do not fit: WebAssembly memory holds ${MAX_BYTES} bytes, one buffer ${MAX_BUFFER_BYTES}; ` +
        `${this.buffers} buffers with ${this.bytes} bytes were allocated and not freed. The largest: ` +
        this.allocator
          .largest(5)
          .map((block) => `${block.bytes} bytes`)
          .join(", "),
    );
  }
}
