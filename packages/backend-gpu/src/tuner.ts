import { gridOf } from "./commands.js";
import type { Binding } from "./emit/bindings.js";
import { Stopwatch } from "./stopwatch.js";
import { usage } from "./usage.js";
import type { Choice } from "./work.js";

/** What a device was found to do fastest, for each shape: plain data, to be kept. */
export interface Tuning {
  /** The card's name; what was found on another one says nothing. */
  readonly adapter: string;
  readonly choices: { readonly [shape: string]: string };
}

/** A dispatch of a program that could be done in other ways. */
export interface Trial {
  readonly choice: Choice;
  readonly bindings: readonly Binding[];
  /** Bytes of what each of them binds. */
  readonly bytes: readonly number[];
  /** Its arguments. */
  readonly words: Uint32Array;
}

/** Work that is seen so often will come often. */
const OFTEN = 16;
/** More memory than this is not taken for timing. */
const MOST_BYTES = 2 ** 28;
/** Milliseconds that a measurement should take at least: clocks of browsers go in steps of 0.1. */
const LONG_ENOUGH = 2;
const MOST_REPEATS = 4096;
const ROUNDS = 3;
/** Another way is taken only if it is faster by this factor: less is noise. */
const CLEARLY = 1.03;

/**
 * Finds out which way is the fastest to do work that comes again and again: beside the work itself, on memory of its own, a
 * few milliseconds at a time. Nobody waits for it, and results are the same before and after.
 */
export class Tuner {
  private readonly choices: Map<string, string>;
  private readonly seen = new Map<string, number>();
  private queue: Promise<void> = Promise.resolve();
  private stopwatch: Stopwatch | undefined;
  private isClosed = false;

  constructor(
    private readonly device: GPUDevice,
    private readonly adapter: string,
    known: Tuning | undefined,
    /** Called when something was chosen. */
    private readonly changed: () => void,
  ) {
    this.choices = new Map(known?.adapter === adapter ? Object.entries(known.choices) : []);
  }

  chosen(key: string): string | undefined {
    return this.choices.get(key);
  }

  choose(key: string, way: string): void {
    this.choices.set(key, way);
    this.changed();
  }

  /** Takes note that these dispatches are done now. */
  see(trials: readonly Trial[]): void {
    for (const trial of trials) {
      const { key } = trial.choice;
      const count = (this.seen.get(key) ?? 0) + 1;
      if (count > OFTEN || this.choices.has(key)) continue;
      this.seen.set(key, count);
      if (count < OFTEN) continue;
      const copy = { ...trial, words: trial.words.slice() };
      this.queue = this.queue.then(() => this.decide(copy));
    }
  }

  /** What was chosen so far, once nothing is left to be timed. */
  async tuning(): Promise<Tuning> {
    let last: Promise<void> | undefined;
    while (last !== this.queue) {
      last = this.queue;
      await last;
    }
    return { adapter: this.adapter, choices: Object.fromEntries(this.choices) };
  }

  close(): void {
    this.isClosed = true;
    this.stopwatch?.destroy();
  }

  private async decide(trial: Trial): Promise<void> {
    if (this.isClosed) return;
    try {
      const { key, ways } = trial.choice;
      const best = await this.fastest(trial);
      // What was measured while the device went says nothing.
      if (best === undefined || this.isClosed) return;
      this.choose(key, (ways[best] as (typeof ways)[0]).name);
    } catch {
      // A device that is lost, or was disposed, or has no memory to spare: what was suggested stays.
    }
  }

  /** The number of the fastest way, or undefined where there is no memory to try. */
  private async fastest({ choice, bindings, bytes, words }: Trial): Promise<number | undefined> {
    const ways = choice.ways.map(({ make }) => make());
    await Promise.all(ways.map(({ pipeline }) => pipeline.ready));
    const memory = await this.memoryFor(bindings, bytes, words);
    if (memory === undefined) return undefined;
    this.stopwatch ??= new Stopwatch(this.device);
    try {
      const group = this.device.createBindGroup({
        layout: (ways[0] as (typeof ways)[0]).pipeline.layout.group,
        entries: memory.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      const time = async (way: number, repeats: number): Promise<number> => {
        const { pipeline, workgroups } = ways[way] as (typeof ways)[0];
        const { compute } = pipeline;
        if (compute === undefined || this.isClosed) return Infinity;
        const milliseconds = await (this.stopwatch as Stopwatch).time((pass) => {
          pass.setPipeline(compute);
          pass.setBindGroup(0, group, [0]);
          for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...gridOf(workgroups));
        });
        return milliseconds / repeats;
      };
      // What runs for the first time takes longer, and so does all on a card that was idle: the second round counts.
      const once: number[] = [];
      for (let round = 0; round < 2; round++) for (const way of ways.keys()) once[way] = await time(way, 1);
      const least = Math.min(...once);
      const best = once.map((milliseconds) => (milliseconds > 3 * least + 0.3 ? Infinity : undefined));
      // Many times in a row, so many that the clock can tell them apart.
      let repeats = 1;
      for (const way of ways.keys()) {
        if (best[way] === Infinity) continue;
        while (repeats < MOST_REPEATS && (await time(way, repeats)) * repeats < LONG_ENOUGH) repeats *= 2;
      }
      for (let round = 0; round < ROUNDS; round++) {
        for (const way of ways.keys()) {
          if (best[way] === Infinity) continue;
          best[way] = Math.min(best[way] ?? Number.MAX_VALUE, await time(way, repeats));
        }
      }
      const times = best as number[];
      const fastest = times.indexOf(Math.min(...times));
      return (times[0] as number) <= CLEARLY * (times[fastest] as number) ? 0 : fastest;
    } finally {
      for (const buffer of memory) buffer.destroy();
    }
  }

  /** Memory like the work's own: its arguments, and what it binds. */
  private async memoryFor(
    bindings: readonly Binding[],
    bytes: readonly number[],
    words: Uint32Array,
  ): Promise<GPUBuffer[] | undefined> {
    if (bytes.reduce((sum, size) => sum + size, 0) > MOST_BYTES) return undefined;
    const { device } = this;
    device.pushErrorScope("out-of-memory");
    const args = device.createBuffer({
      label: "gradus tuning",
      size: Math.ceil(words.length / 4) * 16,
      usage: usage.uniform | usage.copyTarget,
    });
    const made = bindings.map((_, i) =>
      device.createBuffer({
        label: "gradus tuning",
        size: Math.max(16, Math.ceil((bytes[i] as number) / 16) * 16),
        usage: usage.storage,
      }),
    );
    const error = await device.popErrorScope();
    const memory = [args, ...made];
    if (error === null) {
      device.queue.writeBuffer(args, 0, words as Uint32Array<ArrayBuffer>);
      return memory;
    }
    for (const buffer of memory) buffer.destroy();
    return undefined;
  }
}
