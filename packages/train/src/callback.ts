import type { MaybePromise } from "@gradus/core";
import type { Run } from "./run.js";
import type { Scores } from "./scores.js";

/** What a file can hold of a callback. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Code that runs at moments of the training. All hooks are optional and may be async; training waits for them.
 *
 * The tensors of `run.params` belong to the training: they are replaced by the next step, which donates them. Read what
 * you need before the hook is done.
 *
 * @example
 * ```ts
 * import { type Callback } from "@gradus/train";
 * const stopWhenGood = (loss: number): Callback => ({
 *   name: "stopWhenGood",
 *   onEpochEnd({ run, stop }) {
 *     if ((run.history.at(-1)?.train.loss ?? Infinity) < loss) stop();
 *   },
 * });
 * stopWhenGood(0.1).name; // → stopWhenGood
 * ```
 */
export interface Callback {
  /** Under which its state is kept in files. */
  readonly name: string;
  /** Before the first step; also of a resumed run. */
  onTrainBegin?(context: TrainContext): MaybePromise<void>;
  onEpochBegin?(context: TrainContext): MaybePromise<void>;
  /** After each update. Costs a read of the device per step. */
  onStepEnd?(context: TrainContext): MaybePromise<void>;
  /** Whenever training lets the event loop run, several times a second: for displays. */
  onPause?(context: TrainContext): MaybePromise<void>;
  /** After the validation; `run.history.at(-1)` holds the epoch's scores. */
  onEpochEnd?(context: TrainContext): MaybePromise<void>;
  /** After the last step, whatever the reason. `run.stopped` tells it; undefined means that an error is thrown. */
  onTrainEnd?(context: TrainContext): MaybePromise<void>;
  /** What a resumed run must know. Saved whenever the run is. */
  save?(): Json;
  /** Before `onTrainBegin`: what {@link save} gave in the file that is resumed, or undefined in a new run. */
  restore?(saved: Json | undefined): void;
}

/** What hooks are told, and may do. */
export interface TrainContext {
  readonly run: Run;
  /** The epoch being trained, or just finished in `onEpochEnd`, counted from 1. */
  readonly epoch: number;
  /** How many epochs there are to be. */
  readonly epochs: number;
  /** Steps of this epoch done. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Means over the epoch's steps so far; NaN before the first. */
  readonly scores: Scores;
  /** Ends the training after this step or epoch; `run.stopped` is then "early-stopping". */
  readonly stop: () => void;
  /** Saves the run as soon as all callbacks have run this hook, so that their state is in the file. */
  readonly save: (path: string) => void;
  /** Remembers the parameters and layer state of now as the best of the run. */
  readonly keepBest: () => Promise<void>;
  /** Makes the best ones what the run predicts with. What a resumed run continues from stays the last ones. */
  readonly restoreBest: () => void;
}
