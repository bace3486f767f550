import type { Frame } from "./frame.js";
import type { Register } from "./registers.js";

/** Counts through some axes, the last one fastest, and keeps the frame's indices. */
export class Odometer {
  private readonly index: number[];
  private readonly size: number[];

  constructor(
    private readonly frame: Frame,
    private readonly axes: readonly number[],
    /** The depth of the first of the axes; see `tape.ts`. */
    private readonly depth: number,
  ) {
    this.index = axes.map(() => 0);
    this.size = axes.map(() => 0);
  }

  /** Goes to the first point. False if there is none. */
  reset(): boolean {
    const { frame, axes, index, size } = this;
    let any = true;
    for (let i = 0; i < axes.length; i++) {
      const axis = axes[i] as number;
      const n = (frame.sizes[axis] as Register).data[0] as number;
      size[i] = n;
      if (n <= 0) any = false;
      index[i] = 0;
      (frame.axes[axis] as Register).data[0] = 0;
    }
    return any;
  }

  /** Goes to the `position`-th point, counted from 0. */
  seek(position: number): void {
    const { frame, axes, index, size } = this;
    let rest = position;
    for (let i = axes.length - 1; i >= 0; i--) {
      const axis = axes[i] as number;
      const n = (frame.sizes[axis] as Register).data[0] as number;
      const at = rest % n;
      rest = (rest - at) / n;
      size[i] = n;
      index[i] = at;
      (frame.axes[axis] as Register).data[0] = at;
    }
  }

  /** Goes to the next point; returns the depth of the outermost axis that moved, or -1 after the last point. */
  next(): number {
    const { frame, axes, index, size } = this;
    for (let i = axes.length - 1; i >= 0; i--) {
      const moved = (index[i] as number) + 1;
      const { data } = frame.axes[axes[i] as number] as Register;
      if (moved < (size[i] as number)) {
        index[i] = moved;
        data[0] = moved;
        return this.depth + i;
      }
      index[i] = 0;
      data[0] = 0;
    }
    return -1;
  }
}
