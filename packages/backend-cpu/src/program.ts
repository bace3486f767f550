import type { LinearMemory } from "./memory/linear-memory.js";
import { I32, type WasmModule } from "./wasm/encode.js";

/**
 * One step of a kernel. All threads finish it before the next one begins. It is a function of a module, which takes the
 * address of the launch's arguments, and which part of how many it is to do. It gives 0, or 1 + the number of a check that
 * failed.
 *
 * Parts are disjoint and together make the whole; the results are the same bits for any number of parts. Any thread may do
 * any part.
 */
export interface Phase {
  /** Loaded once in every thread, recognised by identity. */
  readonly module: WasmModule;
  readonly entry: string;
  /** The most parts for these sizes; 1 where splitting does not pay. */
  parts(sizes: readonly number[]): number;
}

export const PHASE_SIGNATURE = { takes: [I32, I32, I32], gives: [I32] } as const;

/**
 * A kernel as generated code. The arguments of a launch are one block for all phases: as i32 the addresses of its buffers,
 * its sizes and the address of its scratch memory; then, from {@link paramsAt} on, its params as f64.
 */
export interface PhasedProgram {
  readonly kind: "phases";
  /** What runs for these sizes. */
  phases(sizes: readonly number[]): readonly Phase[];
  /** Bytes of scratch memory that a launch needs, its content undefined; no phase has more parts than there are threads. */
  scratch?(sizes: readonly number[], threads: number): number;
}

/** A kernel in JavaScript. */
export interface HostProgram {
  readonly kind: "host";
  /** Returns the message of a check that failed. */
  run(call: HostCall): string | undefined;
}

/** One call of a kernel in JavaScript: its buffers lie in the memory. */
export interface HostCall {
  readonly memory: LinearMemory;
  readonly addresses: readonly number[];
  /** The sizes of the buffers in bytes. */
  readonly bytes: readonly number[];
  readonly sizes: readonly number[];
  readonly params: readonly number[];
}

export type Program = PhasedProgram | HostProgram;

/** Where params begin within a block of arguments, in bytes. */
export function paramsAt(buffers: number, sizes: number): number {
  return Math.ceil((buffers + sizes + 1) / 2) * 8;
}
