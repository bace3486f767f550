import type { DType } from "./dtype.js";
import type { Kernel } from "./ir/kernel.js";

/** Memory on a device, made by {@link Backend.alloc}. Opaque to all but its backend. */
export interface Buffer {
  readonly bytes: number;
}

/** A compiled kernel. Opaque to all but its backend. */
export interface Executable {
  readonly kernel: Kernel;
  /**
   * Whether launches of these sizes leave the device: it fetches what they read, has the host compute, and sends the results
   * back, while what comes later waits. Where that depends on what the buffers hold, as the last launch of these sizes did. Absent
   * where everything is computed in one place.
   */
  leavesDevice?(sizes: readonly number[]): boolean;
}

/** One kernel call. */
export interface Launch {
  readonly executable: Executable;
  /** The kernel's inputs, then its outputs. An output is an input's buffer exactly where the kernel's `aliases` say so. */
  readonly buffers: readonly Buffer[];
  /** The size of each loop axis (loop, contract), or what the native documents. */
  readonly sizes: readonly number[];
  /** The kernel's run-time numbers, each a value of its dtype. */
  readonly params: readonly number[];
}

/** What a backend can do. Nothing is assumed beyond this. */
export interface Caps {
  readonly dtypes: readonly DType[];
  /**
   * Whether a buffer that is no longer reachable is given back by the garbage collector. If not (a GPU), `free` is the
   * only way, and eager code needs `scope`, `using` or `dispose`.
   */
  readonly collected: boolean;
  /** The largest buffer, in bytes. */
  readonly maxBufferBytes: number;
  /** The most buffers that one kernel may bind. */
  readonly maxBuffers: number;
  /**
   * Whether a kernel that writes a part of a buffer has to copy the rest, because what kernels write is made anew. Temporaries then
   * share memory only with those of their size.
   */
  readonly copiesRest?: boolean;
}

/**
 * A device: it stores buffers and runs kernels. It knows nothing of tensors, operations or gradients, so a backend is a
 * few hundred lines: an emitter for kernels, and memory.
 *
 * Order: `write`, `run`, `read` and `free` take effect in the order of the calls, even where the device works later. So
 * a buffer may be freed or overwritten right after the `run` that reads it.
 *
 * Errors: what can be known at the call throws there. What the device finds later (an index out of range inside a
 * compiled step, lost hardware) is kept, and rejects the next `read`.
 */
export interface Backend {
  readonly name: string;
  readonly caps: Caps;
  /** Memory for `bytes` bytes; its content is undefined. Throws `out-of-memory`. */
  alloc(bytes: number): Buffer;
  /** Gives memory back. Using the buffer afterwards is an error. */
  free(buffer: Buffer): void;
  /** Copies host data into the buffer at byte `at`; the caller may reuse `data` at once. */
  write(buffer: Buffer, data: ArrayBufferView, at?: number): void;
  read(buffer: Buffer, at?: number, bytes?: number): Promise<ArrayBuffer>;
  /** Reads without waiting; absent where the device cannot. */
  readSync?(buffer: Buffer, at?: number, bytes?: number): ArrayBuffer;
  /**
   * Makes a kernel ready. Throws `kernel-invalid` or `unsupported`. The caller keeps the result and asks once.
   *
   * @param expected sizes of the first launch: a hint for choosing between variants. Any sizes may follow.
   */
  compile(kernel: Kernel, expected?: readonly number[]): Executable;
  /** Compiles ahead of use, in parallel where the device can. */
  prepare?(
    uses: readonly { readonly kernel: Kernel; readonly expected?: readonly number[] }[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<readonly Executable[]>;
  /**
   * A hint: this buffer's life is explicit (it is freed, or handed on), and many runs use it. A device that copies buffers
   * to where its kernels work may leave it there. What the buffer holds does not change.
   */
  keep?(buffer: Buffer): void;
  /**
   * Enqueues the launches, in order. The caller may change and reuse `program`. A compiled function passes the same array
   * and the same launches on every call, with other buffers and params in them: a device may recognise them by identity,
   * and check again only what changed.
   */
  run(program: readonly Launch[]): void;
  /** Memory in use, for leak checks and messages. */
  memory(): { readonly buffers: number; readonly bytes: number };
  /** Resolves if the device is lost. */
  readonly lost?: Promise<Error>;
  /** Gives everything back; the backend refuses further work. */
  dispose(): Promise<void>;
}
