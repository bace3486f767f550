/**
 * Where threads speak to each other, at the start of the linear memory: numbers of 32-bit words. What different threads
 * write is on cache lines of its own.
 */
export const control = {
  /** The number of the phase in progress; odd while its description is being written. */
  sequence: 0,
  /** The description: which function (a number, and where its record is), the address of its arguments, its parts. */
  functionId: 1,
  record: 2,
  args: 3,
  parts: 4,
  /** How many parts workers have finished, ever. */
  done: 16,
  /** Whether the main thread sleeps until that changes. */
  isMainAsleep: 17,
  /** The largest number of a failed check; the sign bit: a part threw. */
  failed: 32,
  /** How many workers sleep until the sequence changes. */
  sleepers: 48,
  /** How many workers have come up. */
  ready: 64,
  /** Whether workers are to end. */
  isStopped: 65,
  /** For each part, a cache line: the number of the last phase for which a thread took it. */
  claims: 128,
} as const;

/** Words between claims. */
export const CLAIM_WORDS = 16;
/** More threads are of no use here, and their claims have no place. */
export const MAX_THREADS = 64;
/** The first byte behind all of that. */
export const CONTROL_BYTES = 4 * (control.claims + CLAIM_WORDS * MAX_THREADS);
