import type { Run } from "./libraries/library.js";

/** A workload that is ready, and how many runs together are long enough for the clock. */
export interface Prepared {
  readonly run: Run;
  readonly count: number;
}

/** The clock is good to some microseconds: runs are timed together until they take this long. */
const LEAST_MS = 2;

export async function elapsed(run: Run, count: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < count; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return performance.now() - begin;
}

/** Runs a workload until it is warm. */
export async function prepare(run: Run): Promise<Prepared> {
  let count = 1;
  while ((await elapsed(run, count)) < LEAST_MS && count < 2 ** 20) count *= 2;
  return { run, count };
}

/** The median of one run's milliseconds, over as many as fit into `budget` milliseconds (at least one). */
export async function measure({ run, count }: Prepared, budget: number): Promise<number> {
  const times: number[] = [];
  for (let spent = 0; times.length === 0 || spent < budget; ) {
    const took = await elapsed(run, count);
    spent += took;
    times.push(took / count);
  }
  return median(times);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
