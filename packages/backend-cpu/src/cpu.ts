import { type Backend, fail, interpreter } from "@gradus/core";
import { Cpu } from "./cpu-device.js";
import { MAX_THREADS } from "./threads/control.js";
import { canShareMemory, defaultThreads } from "./threads/host.js";

export interface CpuOptions {
  /**
   * How many threads compute, the calling one included. Default: as many as the machine runs at once, at most 8. Results are
   * the same bits for any number. One where memory cannot be shared: in browsers, on pages that are not isolated from
   * other origins (headers `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`).
   */
  readonly threads?: number;
  /**
   * Whether the device lives in a worker. Default false. Then calls return at once and this thread stays free: that of a
   * page can answer its user while it trains. Buffers must be freed, as on a GPU: eager code needs `scope`, `using` or
   * `dispose`; compiled steps need nothing. In browsers values cannot be read without waiting (`item()`): use `await x.read()`.
   */
  readonly worker?: boolean;
  /**
   * Whether unreachable buffers are collected, as ordinary objects are. Default true. With false the device claims to be
   * one like a GPU, whose buffers must be freed, so that tests find leaks.
   */
  readonly collected?: boolean;
}

/**
 * The processor, by WebAssembly with vector instructions: each kernel becomes a small module. f32, f64, i32 and bool.
 * Results of eager code are ordinary memory; what compiled functions work on stays where the modules work.
 *
 * Work that is large enough is split among threads, which start when there is some, and end with the device or the program.
 *
 * Modules are compiled where they are needed, without waiting. Browsers refuse that on the main thread for large modules
 * (Chromium above 8 MB, before version 115 above 4 KB: use `worker` there).
 *
 * Where WebAssembly is missing, or a content security policy forbids it (`script-src 'wasm-unsafe-eval'` allows it), it is
 * the interpreter of `@gradus/core`, which is much slower, and says so once.
 *
 * @throws `invalid-argument` if `threads` is no whole number from 1 to 64, or more than 1 with `worker`.
 *
 * @example
 * ```ts
 * import { cpu } from "@gradus/backend-cpu";
 * const device = await cpu();
 * device.name; // → cpu
 * ```
 */
export async function cpu(options: CpuOptions = {}): Promise<Backend> {
  const { collected = true, worker = false } = options;
  const threads = worker ? soleThread(options.threads) : threadsOf(options.threads);
  try {
    // A function of one vector instruction.
    await WebAssembly.compile(Uint8Array.from(PROBE));
  } catch (cause) {
    warn(
      `cpu: this host does not run WebAssembly with vectors (${String(cause)}), so the interpreter computes, which is many ` +
        "times slower. Where a content security policy forbids it, allow 'wasm-unsafe-eval' in its script-src",
    );
    return interpreter({ collected });
  }
  if (!worker) return new Cpu({ collected, threads });
  try {
    // Fetched by those who ask for it.
    const { WorkerCpu } = await import("./worker/worker-cpu.js");
    const device = new WorkerCpu();
    await device.ready;
    return device;
  } catch (cause) {
    warn(
      `cpu: the worker could not be started (${String(cause)}), so this thread computes, and waits meanwhile. Where a content ` +
        "security policy forbids it, allow blob: in its worker-src",
    );
    return new Cpu({ collected, threads });
  }
}

function warn(message: string): void {
  // biome-ignore lint/suspicious/noConsole: the program goes on, only slower than was asked for
  console.warn(`gradus: ${message}`);
}

function soleThread(wanted = 1): number {
  if (wanted === 1) return 1;
  return fail("invalid-argument", `cpu: a device in a worker computes on one thread, got threads: ${wanted}`);
}

function threadsOf(wanted: number | undefined): number {
  if (wanted === undefined) return canShareMemory() ? defaultThreads() : 1;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_THREADS) {
    fail("invalid-argument", `cpu: threads must be a whole number from 1 to ${MAX_THREADS}, got ${wanted}`);
  }
  if (wanted === 1 || canShareMemory()) return wanted;
  warn(
    "cpu computes on one thread, because this host does not share memory between threads. A page must be isolated " +
      "from other origins: send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
  );
  return 1;
}

const PROBE = [
  ...[
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98,
    11,
  ],
];
