import type { Local, Word, Words } from "./words.js";

/** A loop axis: where its index and its size are. */
export interface Axis {
  readonly number: number;
  readonly index: Local;
  readonly size: Local;
}

/** Neighbouring axes that are walked as one, row-major: the last one is the fastest. */
export class AxisGroup {
  readonly numbers: readonly number[];
  readonly last: Axis;

  constructor(
    private readonly words: Words,
    private readonly axes: readonly Axis[],
  ) {
    this.numbers = axes.map(({ number }) => number);
    this.last = axes.at(-1) as Axis;
  }

  /** How many positions there are. */
  count(): Word {
    return this.words.mul(...this.axes.map(({ size }) => size));
  }

  /** Goes to a flat position. */
  enter(position: Word): void {
    const { words, axes } = this;
    if (axes.length === 1) {
      words.set(this.last.index, position);
      return;
    }
    const rest = words.let(position);
    for (const { index, size } of axes.slice(1).reverse()) {
      words.set(index, words.remainder(rest, size));
      words.set(rest, words.div(rest, size));
    }
    words.set((axes[0] as Axis).index, rest);
  }

  /** Remembers the position; the result goes back to it. */
  save(): () => void {
    const { words, axes } = this;
    const saved = axes.map(({ index }) => words.let(index));
    return () => {
      axes.forEach(({ index }, i) => {
        words.set(index, saved[i] as Local);
      });
    };
  }

  /** Goes one position on. */
  step(): void {
    this.words.advance(this.last.index, 1);
    this.carry();
  }

  /** Goes on from the end of the last axis, if that is where the position is. */
  carry(): void {
    const { words } = this;
    const carryFrom = (k: number): void => {
      if (k === 0) return;
      const { index, size } = this.axes[k] as Axis;
      words.when(words.isEqual(index, size), () => {
        words.set(index, 0);
        words.advance((this.axes[k - 1] as Axis).index, 1);
        carryFrom(k - 1);
      });
    };
    carryFrom(this.axes.length - 1);
  }

  /** The positions from the current one to `end` in runs along the last axis; `inner` leaves the index at the local it gets. */
  runs(from: Word, end: Word, inner: (runEnd: Local) => void): void {
    const { words, last } = this;
    const position = words.let(from);
    const runEnd = words.local();
    words.repeat(
      () => {
        words.set(runEnd, words.add(last.index, words.sub(end, position)));
        if (this.axes.length > 1) words.set(runEnd, words.min(runEnd, last.size));
        words.advance(position, words.sub(runEnd, last.index));
        inner(runEnd);
        words.set(last.index, runEnd);
        this.carry();
      },
      words.isBelow(position, end),
    );
  }
}
