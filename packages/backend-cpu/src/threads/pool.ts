import { fail, GradusError } from "@gradus/core";
import type { PhaseFunction } from "../loader.js";
import type { LinearMemory } from "../memory/linear-memory.js";
import { CLAIM_WORDS, control } from "./control.js";
import { canSleep } from "./host.js";
import type { Spawn, WorkerHandle } from "./spawn.js";

export interface PoolOptions {
  readonly threads: number;
  readonly spawn: Spawn;
  /** After how long a worker that does not finish its part is given up, at least. */
  readonly stallMs: number;
}

/** A phase that may be split. */
export interface SplitPhase {
  readonly run: PhaseFunction;
  /** Its number for workers, and where they read what it is. */
  readonly id: number;
  readonly record: number;
}

/** How long a worker looks for the next phase before it sleeps: longer than what lies between two steps of training. */
const WORKER_SPIN_MS = 0.5;
/** How long the main thread looks for the last parts before it sleeps. */
const MAIN_SPIN_MS = 0.05;
/** A wait that is this much longer than this thread's own part shows that other programs want the processor. */
const LATE_MS = 0.5;
const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 1000;

/**
 * Workers on the memory of a device. The main thread describes a phase, does a part, does every other part that no worker
 * has taken by then, and waits for those that were taken. So a worker that is late or never comes up costs nothing; one
 * that other programs keep from its part costs a wait, and after a long one the phases are not split for a while.
 */
export class Pool {
  /** Threads that take part: 1 when the workers are gone. */
  private threads: number;
  private readonly workers = new Map<number, WorkerHandle>();
  private isStarted = false;
  private isStopped = false;
  private sequence = 0;
  private finished = 0;
  /** Until when phases are not split, and how long the next pause is. */
  private pausedUntil = 0;
  private pauseMs = FIRST_PAUSE_MS;
  private isPaused = false;
  private readonly maySleep = canSleep();
  private failure: GradusError | undefined;

  constructor(
    private readonly memory: LinearMemory,
    private readonly options: PoolOptions,
  ) {
    this.threads = options.threads;
  }

  /** To be called before phases are run: looks at the clock. */
  begin(): void {
    if (this.failure !== undefined) throw this.failure;
    this.isPaused = this.pausedUntil > 0 && performance.now() < this.pausedUntil;
  }

  /** Runs a phase in up to `parts` parts. Gives the largest number of a failed check. */
  run(phase: SplitPhase, args: number, parts: number): number {
    if (!this.isStarted) this.start();
    if (this.threads === 1 || this.isPaused) return phase.run(args, 0, 1);
    const { words } = this.memory;
    const number = this.publish(words, phase, args, parts);
    const begin = performance.now();
    let own = 0;
    let failed = 0;
    let thrown: unknown;
    for (let part = 0; part < parts; part++) {
      const at = control.claims + CLAIM_WORDS * part;
      if (part > 0) {
        const before = Atomics.load(words, at);
        if (before === number || Atomics.compareExchange(words, at, before, number) !== before) continue;
      }
      own++;
      try {
        failed = Math.max(failed, phase.run(args, part, parts));
      } catch (error) {
        thrown = error;
      }
    }
    if (own < parts) this.wait(words, parts - own, begin);
    // The parts of others are done, so the memory is quiet.
    if (thrown !== undefined) throw thrown;
    const others = Atomics.load(words, control.failed);
    if (others !== 0) Atomics.store(words, control.failed, 0);
    if (others < 0)
      fail("device-lost", "cpu: a kernel failed in a worker thread; what it wrote is undefined");
    return Math.max(failed, others);
  }

  /** Ends the workers. */
  stop(): unknown {
    this.isStopped = true;
    this.threads = 1;
    const { words } = this.memory;
    Atomics.store(words, control.isStopped, 1);
    Atomics.add(words, control.sequence, 1);
    Atomics.notify(words, control.sequence);
    const ended = [...this.workers.values()].map((worker) => worker.terminate());
    this.workers.clear();
    return Promise.all(ended);
  }

  private publish(words: Int32Array, { id, record }: SplitPhase, args: number, parts: number): number {
    const number = (this.sequence + 2) | 0;
    this.sequence = number;
    Atomics.store(words, control.sequence, number - 1);
    Atomics.store(words, control.functionId, id);
    Atomics.store(words, control.record, record);
    Atomics.store(words, control.args, args);
    Atomics.store(words, control.parts, parts);
    // The first part is the main thread's.
    Atomics.store(words, control.claims, number);
    Atomics.store(words, control.sequence, number);
    if (Atomics.load(words, control.sleepers) > 0) Atomics.notify(words, control.sequence);
    return number;
  }

  /** Waits until workers have finished `count` more parts. */
  private wait(words: Int32Array, count: number, begin: number): void {
    const target = (this.finished + count) | 0;
    this.finished = target;
    const isDone = (): boolean => Atomics.load(words, control.done) === target;
    for (let turn = 0; turn < 1000; turn++) if (isDone()) return;
    const start = performance.now();
    const own = start - begin;
    // Time that passes while the whole process is stopped is not the worker's.
    let waited = 0;
    let last = start;
    while (!isDone()) {
      const now = performance.now();
      waited += Math.min(now - last, 200);
      last = now;
      if (waited > Math.max(this.options.stallMs, 20 * own)) this.giveUp(waited);
      if (waited < MAIN_SPIN_MS || !this.maySleep) {
        for (let turn = 0; turn < 200 && !isDone(); turn++);
        continue;
      }
      Atomics.store(words, control.isMainAsleep, 1);
      const seen = Atomics.load(words, control.done);
      if (seen !== target) Atomics.wait(words, control.done, seen, 100);
      Atomics.store(words, control.isMainAsleep, 0);
    }
    if (last - start > own + LATE_MS) this.pause(last);
  }

  /** Leaves the processor to others for a while. */
  private pause(now: number): void {
    const isFrequent = now - this.pausedUntil < 10 * this.pauseMs;
    this.pauseMs = isFrequent ? Math.min(2 * this.pauseMs, LAST_PAUSE_MS) : FIRST_PAUSE_MS;
    this.pausedUntil = now + this.pauseMs;
    this.isPaused = true;
  }

  private giveUp(waited: number): never {
    void this.stop();
    this.failure = new GradusError(
      "device-lost",
      `cpu: a worker thread ended or hangs: it took a part of a kernel and did not finish it within ${Math.round(waited)} ms. ` +
        "Buffers that this run wrote are undefined, others can still be read. Make a new device, with cpu({ threads: 1 }) if this happens again",
    );
    throw this.failure;
  }

  private start(): void {
    this.isStarted = true;
    for (let index = 1; index < this.options.threads; index++) {
      const onEnd = (why: string): void => this.ended(index, why);
      try {
        const start = { memory: this.memory.memory, index, spinMs: WORKER_SPIN_MS };
        this.workers.set(index, this.options.spawn(start, onEnd));
      } catch (error) {
        this.warn(`could not start a worker thread (${String(error)})`);
        break;
      }
    }
    this.threads = this.workers.size + 1;
  }

  /** A worker ended between two runs. Nothing is lost: others do its parts. */
  private ended(index: number, why: string): void {
    if (this.isStopped || !this.workers.delete(index)) return;
    if (Atomics.load(this.memory.words, control.ready) === 0) {
      // None has come up, so the host forbids them all: this is said once.
      for (const worker of this.workers.values()) worker.terminate();
      this.workers.clear();
      this.threads = 1;
      this.warn(`could not start worker threads (${why})`);
      return;
    }
    this.threads = this.workers.size + 1;
    this.warn(`a worker thread ended (${why})`);
  }

  private warn(what: string): void {
    const left = this.threads === 1 ? "one thread, which is slower" : `${this.threads} threads`;
    // biome-ignore lint/suspicious/noConsole: the program goes on, only slower than it could be
    console.warn(`gradus: cpu ${what}; going on with ${left}`);
  }
}
