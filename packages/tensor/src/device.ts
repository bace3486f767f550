import { type Backend, type DType, type Executable, fail, interpreter, type Kernel } from "@gradus/core";

let chosen: Backend | undefined;
let builtIn: Backend | undefined;

/**
 * Makes `device` the place where new tensors live, from now on. Until then it is the reference interpreter of
 * `@gradus/core`, which needs no installation and is slow.
 *
 * @example
 * ```ts
 * import { interpreter } from "@gradus/core";
 * import { setDefaultDevice, tensor } from "@gradus/tensor";
 * setDefaultDevice(interpreter({ precision: "float32" }));
 * tensor([1, 2]).device.name; // → interpreter
 * setDefaultDevice(undefined);
 * ```
 */
export function setDefaultDevice(device: Backend | undefined): void {
  chosen = device;
}

export function defaultDevice(): Backend {
  if (chosen !== undefined) return chosen;
  builtIn ??= interpreter();
  return builtIn;
}

/** Throws `unsupported`, naming the operation, unless `device` has elements of `dtype`. */
export function checkHas(op: string, device: Backend, dtype: DType): void {
  const { dtypes } = device.caps;
  if (dtypes.includes(dtype)) return;
  fail(
    "unsupported",
    `${op}: ${device.name} has no ${dtype}: it supports ${dtypes.join(", ")}. Use one of them, or a device that has it`,
  );
}

let work = 0;
const WORK_WORTH_A_WORD = 1e9;

/** Counts element operations on the interpreter that nobody chose, and says once what would make them fast. */
export function countWork(device: Backend, elements: number): void {
  if (device !== builtIn || chosen !== undefined || work > WORK_WORTH_A_WORD) return;
  work += elements;
  if (work > WORK_WORTH_A_WORD) {
    // biome-ignore lint/suspicious/noConsole: advice to the person who runs the program, once
    console.warn(
      "gradus: this program has become large for the reference interpreter. " +
        "Install @gradus/backend-cpu and call setDefaultDevice(await cpu()). setDefaultDevice(interpreter()) silences this.",
    );
  }
}

const MAX_KERNELS = 1024;
const kernels = new WeakMap<Backend, Map<string, Executable>>();

/** The device's compiled kernel for `key`, made at first use; the least recently used ones are forgotten. */
export function executableFor(
  device: Backend,
  key: string,
  build: () => Kernel,
  sizes: readonly number[],
): Executable {
  let cache = kernels.get(device);
  if (cache === undefined) {
    cache = new Map();
    kernels.set(device, cache);
  }
  const known = cache.get(key);
  if (known !== undefined) {
    // Reinsert only when the cache fills up: the order then matters, and until then a lookup stays one lookup.
    if (cache.size > MAX_KERNELS / 2) {
      cache.delete(key);
      cache.set(key, known);
    }
    return known;
  }
  const made = device.compile(build(), sizes);
  cache.set(key, made);
  if (cache.size > MAX_KERNELS) cache.delete(cache.keys().next().value as string);
  return made;
}
