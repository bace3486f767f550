import type { Metric } from "@gradus/core";

/** Metrics by the names under which they are reported. */
export type Metrics = Readonly<Record<string, Metric>>;

/** The loss and the metrics of a data set, each the mean over its rows. */
export type Scores<M extends Metrics = Metrics> = { readonly loss: number } & {
  readonly [K in keyof M]: number;
};

/** What is known about a finished epoch. */
export interface EpochLog<M extends Metrics = Metrics> {
  /** Counted from 1. */
  readonly epoch: number;
  /** Means over the epoch's batches, each computed before the batch's update. */
  readonly train: Scores<M>;
  /** After the epoch, on the validation data; absent if there are none. */
  readonly validation?: Scores<M>;
}

/** Means over batches of different sizes, kept so that a file can hold them and another run continue with them. */
export class RunningScores {
  constructor(
    private readonly names: readonly string[],
    /** Rows counted so far, and for each name the sum over rows. */
    public rows = 0,
    public readonly sums: number[] = names.map(() => 0),
  ) {}

  add(values: ArrayLike<number>, rows: number): void {
    this.rows += rows;
    this.names.forEach((_, i) => {
      this.sums[i] = (this.sums[i] as number) + (values[i] as number) * rows;
    });
  }

  /** NaN before the first row. */
  means(): Scores {
    const means = this.names.map((name, i) => [name, (this.sums[i] as number) / this.rows]);
    return Object.fromEntries(means) as Scores;
  }
}

/** The names of what a step reports, in order. */
export function scoreNames(metrics: Metrics): string[] {
  return ["loss", ...Object.keys(metrics)];
}
