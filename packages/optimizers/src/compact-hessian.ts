import { solve } from "./dense/solve.js";
import { dot } from "./dense/vectors.js";

/**
 * The limited-memory estimate of a Hessian in compact form, `B = theta I - W M W^T` with W of two columns for each past step.
 *
 * Source: Byrd, Nocedal and Schnabel, "Representations of quasi-Newton matrices", 1994.
 */
export class CompactHessian {
  readonly theta: number;
  /** The columns of W: changes of the gradient, then steps times theta. */
  private readonly columns: readonly Float64Array[];
  /** The inverse of M, as rows. */
  private readonly middle: readonly Float64Array[];

  constructor(steps: readonly Float64Array[], changes: readonly Float64Array[]) {
    const m = steps.length;
    const [s, y] = [steps.at(-1), changes.at(-1)];
    this.theta = s === undefined || y === undefined ? 1 : dot(y, y) / dot(s, y);
    const { theta } = this;
    this.columns = [...changes, ...steps.map((step) => step.map((v) => v * theta))];
    this.middle = Array.from({ length: 2 * m }, (_, i) =>
      Float64Array.from({ length: 2 * m }, (_, j) => {
        const [a, b] = [i % m, j % m];
        const product = (p: number, q: number): number =>
          dot(steps[p] as Float64Array, changes[q] as Float64Array);
        if (i < m && j < m) return a === b ? -product(a, a) : 0;
        if (i >= m && j >= m) return theta * dot(steps[a] as Float64Array, steps[b] as Float64Array);
        // Below the diagonal of steps by changes.
        const [step, change] = i >= m ? [a, b] : [b, a];
        return step > change ? product(step, change) : 0;
      }),
    );
  }

  get rank(): number {
    return this.columns.length;
  }

  /** Row i of W. */
  row(i: number): Float64Array {
    return Float64Array.from(this.columns, (column) => column[i] as number);
  }

  /** `W^T v`. */
  project(v: Float64Array): Float64Array {
    return Float64Array.from(this.columns, (column) => dot(column, v));
  }

  /** `M v`; undefined if the estimate has broken down. */
  middleTimes(v: Float64Array): Float64Array | undefined {
    return solve(this.middle, v);
  }
}
