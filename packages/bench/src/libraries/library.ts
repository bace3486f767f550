/** Does a workload once. What it returns is waited for. */
export type Run = () => unknown;

/** For each workload that the library can do: makes its inputs, and gives what is to be timed. */
export interface Library {
  readonly workloads: Readonly<Record<string, () => Run | Promise<Run>>>;
  /** Operations per second of one run, where the workload itself decides how much it does. */
  readonly flops?: Readonly<Record<string, number>>;
}

/** The name of one thread's share: libraries are asked for this many threads. */
export type OpenLibrary = (threads: number) => Promise<Library>;

/** Numbers that every library gets alike: uniform in [-1, 1), the same for the same seed. */
export function numbers(count: number, seed = 1, scale = 1): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * (state / 2 ** 31 - 1);
  });
}

export function classes(count: number, of: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: count }, (_, i) => (i * 7) % of);
}
