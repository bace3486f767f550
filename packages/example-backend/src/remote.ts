import type { Backend, Buffer, Caps, ErrorCode, Executable, Kernel, Launch } from "@gradus/core";
import { checkDTypes, checkLaunch, fail, GradusError, validateKernel } from "@gradus/core";
import type { Answer, RemoteLaunch, Request } from "./messages.js";

/** A worker of Node or of a browser that runs `worker.ts`. */
export type AnyWorker = Pick<Worker, "terminate"> &
  Record<"postMessage", (port: unknown, list: MessagePort[]) => void>;

/** A device in a worker: kernels go there by messages, and results come back. */
export async function remote(worker: AnyWorker): Promise<Backend> {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  const caps = await new Promise<Caps>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<Answer>) => data[0] === "ready" && resolve(data[1]);
  });
  return new Remote(port1, worker, { ...caps, collected: false });
}

/** A buffer or a kernel in the worker. */
class Handle<T> {
  constructor(
    readonly owner: Remote,
    readonly id: number,
    readonly bytes: number,
    readonly kernel: T,
  ) {}
}

type Reading = readonly [resolve: (data: ArrayBuffer) => void, reject: (error: Error) => void];

class Remote implements Backend {
  readonly name = "remote";
  private readonly readings = new Map<number, Reading>();
  private readonly buffers = new Set<Buffer>();
  private nextId = 0;
  private isDisposed = false;

  constructor(
    private readonly port: MessagePort,
    private readonly worker: AnyWorker,
    readonly caps: Caps,
  ) {
    port.onmessage = ({ data }: MessageEvent<Answer>) => this.receive(data);
  }

  alloc(bytes: number): Buffer {
    this.checkOpen();
    if (!Number.isInteger(bytes) || bytes < 0) fail("invalid-argument", `alloc: ${bytes} is no size`);
    const { maxBufferBytes } = this.caps;
    if (bytes > maxBufferBytes)
      fail("out-of-memory", `alloc: ${bytes} bytes, the limit is ${maxBufferBytes}`);
    const buffer = new Handle(this, this.nextId++, bytes, undefined);
    this.buffers.add(buffer);
    this.send(["alloc", buffer.id, bytes]);
    return buffer;
  }

  free(buffer: Buffer): void {
    this.send(["free", this.own(buffer, "free").id]);
    this.buffers.delete(buffer);
  }

  write(buffer: Buffer, data: ArrayBufferView, at = 0): void {
    const { id } = this.own(buffer, "write", at, data.byteLength);
    this.send(["write", id, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(), at]);
  }

  read(buffer: Buffer, at = 0, bytes = buffer.bytes - at): Promise<ArrayBuffer> {
    const { id } = this.own(buffer, "read", at, bytes);
    const reading = this.nextId++;
    this.send(["read", reading, id, at, bytes]);
    return new Promise((resolve, reject) => this.readings.set(reading, [resolve, reject]));
  }

  compile(kernel: Kernel): Executable {
    this.checkOpen();
    validateKernel(kernel);
    checkDTypes(kernel, this.name, this.caps.dtypes);
    if (kernel.kind === "native" && kernel.native === "host")
      fail("unsupported", `kernel "${kernel.name}" is a function of the host and cannot be sent to a worker`);
    const executable = new Handle(this, this.nextId++, 0, kernel);
    this.send(["compile", executable.id, kernel]);
    return executable;
  }

  run(program: readonly Launch[]): void {
    this.checkOpen();
    this.send(["run", program.map((launch) => this.translate(launch))]);
  }

  memory(): { readonly buffers: number; readonly bytes: number } {
    return {
      buffers: this.buffers.size,
      bytes: [...this.buffers].reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
    this.port.close();
    await this.worker.terminate();
    for (const [, reject] of this.readings.values()) reject(new GradusError("disposed", DISPOSED));
  }

  private translate(launch: Launch): RemoteLaunch {
    const { executable, buffers, sizes, params } = launch;
    const { name } = executable.kernel;
    if (!(executable instanceof Handle) || executable.owner !== this)
      return fail("device-mismatch", `run: kernel "${name}" was compiled by another device`);
    checkLaunch(launch);
    const ids = buffers.map((buffer) => this.own(buffer, `kernel "${name}"`).id);
    return { executable: executable.id, buffers: ids, sizes, params };
  }

  private receive(answer: Answer): void {
    if (answer[0] === "ready") return;
    const [resolve, reject] = this.readings.get(answer[1]) as Reading;
    this.readings.delete(answer[1]);
    if (answer[0] === "data") resolve(answer[2]);
    else reject(new GradusError(answer[2] as ErrorCode, answer[3]));
  }

  private send(request: Request): void {
    this.port.postMessage(request);
  }

  private own(buffer: Buffer, what: string, at = 0, bytes = 0): Handle<unknown> {
    this.checkOpen();
    if (!(buffer instanceof Handle) || buffer.owner !== this)
      return fail("device-mismatch", `${what}: the buffer belongs to another device`);
    if (!this.buffers.has(buffer)) fail("disposed", `${what}: the buffer was freed before`);
    if (at < 0 || bytes < 0 || at + bytes > buffer.bytes)
      fail("invalid-argument", `${what}: bytes ${at} to ${at + bytes} are not within ${buffer.bytes} bytes`);
    return buffer;
  }

  private checkOpen(): void {
    if (this.isDisposed) fail("disposed", DISPOSED);
  }
}

const DISPOSED = "remote: this device was disposed";
