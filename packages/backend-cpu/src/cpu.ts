import { type Backend, GradusError } from "@gradus/core";
import { Cpu } from "./cpu-device.js";

export interface CpuOptions {
  /**
   * Whether unreachable buffers are collected, as ordinary objects are. Default true. With false the device claims to be
   * one like a GPU, whose buffers must be freed, so that tests find leaks.
   */
  readonly collected?: boolean;
}

/**
 * The processor, by WebAssembly with vector instructions: each kernel becomes a small module. One thread; f32, f64, i32 and
 * bool. Results of eager code are ordinary memory; what compiled functions work on stays where the modules work.
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
