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
    /** From one position of the axis before the last to the next, if there are positions between that are no points. */
    private readonly pitch?: Local,
  ) {
    this.numbers = axes.map(({ number }) => number);
    this.last = axes.at(-1) as Axis;
  }

  /** With other axes in the place of its own. */
  map(other: (axis: Axis) => Axis): AxisGroup {
    return new AxisGroup(this.words, this.axes.map(other));
  }

  /** Goes where a group of as many axes is. */
  follow({ axes }: AxisGroup): void {
    this.axes.forEach(({ index }, i) => {
      this.words.set(index, (axes[i] as Axis).index);
    });
  }

  /** How many positions there are. */
  count(): Word {
    const { words, axes, pitch, last } = this;
    const sizes = axes.map(({ size }) => size);
    if (pitch === undefined) return words.mul(...sizes);
    return words.add(words.mul(pitch, words.sub(words.mul(1, ...sizes.slice(0, -1)), 1)), last.size);
  }

  /** Without its last axis; with one of size 1 if there is no other. */
  leading(): AxisGroup {
    const { words, axes } = this;
    if (axes.length > 1) return new AxisGroup(words, axes.slice(0, -1));
    return new AxisGroup(words, [{ number: -1, index: words.local(), size: words.let(1) }]);
  }

  /** With a last axis of another size. */
  resized(size: Local): AxisGroup {
    return new AxisGroup(this.words, [...this.axes.slice(0, -1), { ...this.last, size }]);
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
      const step = index === this.last.index ? (this.pitch ?? size) : size;
      words.set(index, words.remainder(rest, step));
      words.set(rest, words.div(rest, step));
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

  /**
   * The positions from `from`, the current one, to `end` in runs along the last axis. `inner` gets where a run ends along that
   * axis, to which it may move the index, and its first position.
   */
  runs(from: Word, end: Word, inner: (runEnd: Local, position: Local) => void): void {
    const { words, last, pitch } = this;
    const position = words.let(from);
    const [runEnd, length] = [words.local(), words.local()];
    words.repeat(
      () => {
        words.set(runEnd, words.add(last.index, words.sub(end, position)));
        if (this.axes.length > 1) words.set(runEnd, words.min(runEnd, last.size));
        words.set(length, words.sub(runEnd, last.index));
        const run = (): void => {
          inner(runEnd, position);
          words.advance(position, length);
          words.set(last.index, runEnd);
        };
        if (pitch === undefined) run();
        else {
          words.when(words.isBelow(0, length), run);
          words.when(
            words.isBelow(runEnd, last.size),
            () => {},
            () => {
              words.advance(position, words.sub(pitch, last.index));
              words.set(last.index, last.size);
            },
          );
        }
        this.carry();
      },
      words.isBelow(position, end),
    );
  }
}
