import { fail } from "@gradus/core";
import type { Json, TrainContext } from "./callback.js";

export interface MonitorOptions {
  /**
   * What to watch: a name of the scores, such as "loss", or with "validation " in front. Default "validation loss", or
   * "loss" where there is no validation.
   */
  readonly monitor?: string;
  /** Whether less is better. Default "min" for losses; for a metric it must be given. */
  readonly mode?: "min" | "max";
  /** By how much a score must be better to count as better. Default 0. */
  readonly minDelta?: number;
}

/** Follows a score from epoch to epoch. */
export class Monitor {
  private best: number | undefined;

  constructor(
    private readonly what: string,
    private readonly options: MonitorOptions,
  ) {
    const { monitor, mode, minDelta = 0 } = options;
    if (!(minDelta >= 0 && minDelta < Infinity)) {
      fail("invalid-argument", `${what}: minDelta must be a number of at least 0, got ${minDelta}`);
    }
    if (mode !== undefined && mode !== "min" && mode !== "max") {
      fail("invalid-argument", `${what}: mode must be "min" or "max", got ${JSON.stringify(mode)}`);
    }
    if (monitor !== undefined && mode === undefined && !/^(validation )?loss$/.test(monitor)) {
      fail("invalid-argument", `${what}: give the mode "min" or "max": is less or more ${monitor} better?`);
    }
  }

  /** Takes the epoch's score; whether it is the best so far. NaN never is. */
  improved(context: TrainContext): boolean {
    const { mode = "min", minDelta = 0 } = this.options;
    const value = this.score(context);
    const gain = this.best === undefined ? Infinity : mode === "min" ? this.best - value : value - this.best;
    if (Number.isNaN(value) || !(gain > minDelta)) return false;
    this.best = value;
    return true;
  }

  save(): Json {
    return this.best ?? null;
  }

  restore(saved: Json | undefined): void {
    this.best = typeof saved === "number" ? saved : undefined;
  }

  private score({ run }: TrainContext): number {
    const log = run.history.at(-1);
    const { monitor = log?.validation === undefined ? "loss" : "validation loss" } = this.options;
    const [, validation, name] = /^(validation )?(.*)$/s.exec(monitor) as RegExpExecArray;
    const scores = validation === undefined ? log?.train : log?.validation;
    const value = scores?.[name as string];
    if (value !== undefined) return value;
    const known = [
      ...Object.keys(log?.train ?? {}),
      ...Object.keys(log?.validation ?? {}).map((key) => `validation ${key}`),
    ];
    return fail(
      "invalid-argument",
      `${this.what}: there is no score ${JSON.stringify(monitor)}. There are ${known.join(", ")}`,
    );
  }
}
