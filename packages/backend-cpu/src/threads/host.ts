interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** More threads than this rarely help a training step, and other programs want some. */
const DEFAULT_MAX = 8;

/** Whether threads can share memory here. Browsers allow it on pages that are isolated from other origins. */
export function canShareMemory(): boolean {
  const { crossOriginIsolated } = globalThis as Host;
  return typeof SharedArrayBuffer === "function" && crossOriginIsolated !== false;
}

/** How many threads this machine runs at once, within reason. */
export function defaultThreads(): number {
  const { process, navigator } = globalThis as Host;
  const os = process?.getBuiltinModule?.("node:os") as { availableParallelism?(): number } | undefined;
  const available = os?.availableParallelism?.() ?? navigator?.hardwareConcurrency ?? 1;
  return Math.max(1, Math.min(DEFAULT_MAX, available));
}

/** Whether this thread may sleep until another one wakes it: not the main thread of a page. */
export function canSleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}
