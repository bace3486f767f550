import {
  type Backend,
  fail,
  type Key,
  type Layer,
  type Rule,
  type RuleState,
  type Tensor,
} from "@gradus/core";
import { type Compiled, compile, key, openScope, scope, tensor } from "@gradus/tensor";
import type { Callback, Json } from "./callback.js";
import { batches, checkData, type Data } from "./data.js";
import { Pacer } from "./event-loop.js";
import { writeFileAtomically } from "./files.js";
import { buildTree, copyTree, disposeTree, type HostTree, readTree } from "./host-tree.js";
import { type BatchOptions, checkBatchSize, type Forward, forwardOf, predictRows } from "./predict.js";
import { encodeRun, type Part, partOf, type RunRecord, type RunSetup, type SavedRun } from "./saved-run.js";
import { type EpochLog, type Metrics, RunningScores, type Scores, scoreNames } from "./scores.js";
import {
  type Carried,
  type EvaluationStep,
  evaluationStep,
  type StepKeys,
  type TrainingLoss,
} from "./step.js";

/** Why a training ended. */
export type Stopped = "finished" | "early-stopping" | "aborted";

/** A training, while it goes on and afterwards: the trained model, and all that it takes to continue. */
export interface Run<P = unknown, S = unknown, M extends Metrics = Metrics> {
  /** The parameters: those of the best epoch if they were restored (see `earlyStopping`), else the last ones. */
  readonly params: P;
  /** The layers' state that belongs to {@link params}. */
  readonly state: S;
  /** The optimizer's state after the last step. */
  readonly optimizerState: RuleState<P>;
  /** Epochs finished. */
  readonly epoch: number;
  /** Steps done, over all epochs. */
  readonly step: number;
  /** Updates left out because they were not finite; see `onNonFinite`. */
  readonly skipped: number;
  readonly history: readonly EpochLog<M>[];
  /** Why the training ended; undefined while it goes on, and after an error. */
  readonly stopped: Stopped | undefined;
  /** The epoch that a callback kept as the best, counted from 1. */
  readonly bestEpoch: number | undefined;
  /** The model's output, in evaluation mode and with the parameters to evaluate with. Works without waiting. */
  predict(x: Tensor, options?: BatchOptions): Tensor;
  /** The loss and the metrics on other data, in evaluation mode. */
  evaluate(data: Data, options?: BatchOptions): Promise<Scores<M>>;
  /**
   * Writes {@link toBytes} to a file. After a crash in the middle, the file is the old one or the new one.
   *
   * @throws `unsupported` where there is no file system: use `toBytes()`. `invalid-argument` if it cannot be written.
   */
  save(path: string): Promise<void>;
  /**
   * The run as a safetensors file: parameters, state, optimizer, where the training is, history, callbacks' state. `fit`
   * continues from it bit for bit (`resume`), `loadRun` reads it for inference. It holds what is there at the call,
   * although training may go on meanwhile.
   */
  toBytes(): Promise<Uint8Array>;
  /** Gives the memory of parameters and states back. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** What a run is made of; see `FitOptions`. */
export interface RunParts<P, S> {
  readonly model: Layer<P, S>;
  readonly rule: Rule;
  readonly loss: TrainingLoss;
  readonly metrics: Metrics;
  readonly callbacks: readonly Callback[];
  readonly setup: RunSetup;
  readonly device: Backend;
}

type EvaluationParams<P> = Compiled<[params: P, optimizer: RuleState<P>], { readonly params: P }>;

interface Best<P, S> {
  readonly epoch: number;
  readonly params: HostTree;
  readonly state: HostTree;
  /** On the device, once they are restored. */
  restored?: { readonly params: P; readonly state: S };
}

/** The {@link Run} that `fit` works on. */
export class TrainingRun<P, S> implements Run<P, S> {
  epoch = 0;
  step = 0;
  stepInEpoch = 0;
  skipped = 0;
  running: RunningScores;
  history: EpochLog[] = [];
  stopped: Stopped | undefined;
  readonly keys: StepKeys & { readonly order: Key };
  private best: Best<P, S> | undefined;
  private readonly forward: Forward<P, S>;
  private readonly evaluateBatch: EvaluationStep<P, S>;
  private readonly evaluationParams: EvaluationParams<P> | undefined;

  private constructor(
    private readonly parts: RunParts<P, S>,
    public carried: Carried<P, S>,
  ) {
    const { model, rule, loss, metrics, setup, device } = parts;
    this.running = new RunningScores(scoreNames(metrics));
    this.keys = scope(() => {
      const root = key(setup.seed, { device });
      // Negative, so that they never meet the numbers that a model folds into the key of its parameters.
      return { order: root.foldIn(-1), layers: root.foldIn(-2), rule: root.foldIn(-3) };
    });
    this.forward = forwardOf(model);
    this.evaluateBatch = evaluationStep(model, loss, metrics);
    if (rule.evalParams !== undefined) {
      this.evaluationParams = compile((params: P, optimizer: RuleState<P>) => ({
        params: rule.evalParams?.(params, optimizer) ?? params,
      }));
    }
  }

  /** A run at its beginning: everything follows from the seed. */
  static async start<P, S>(parts: RunParts<P, S>): Promise<TrainingRun<P, S>> {
    const { device } = parts;
    // Copies, because steps donate them: a pretrained layer must not lose its own, and no two leaves may share memory.
    const [params, state, optimizer] = await withInitialTrees(parts, (initial) =>
      Promise.all([
        copyTree(initial.params, device),
        copyTree(initial.state, device),
        copyTree(initial.optimizer, device),
      ]),
    );
    return new TrainingRun(parts, { params, state, optimizer, sound: tensor(true, { device }) });
  }

  /** A run that goes on where a saved one was. */
  static resume<P, S>(parts: RunParts<P, S>, saved: SavedRun): TrainingRun<P, S> {
    const { device, model } = parts;
    const { record } = saved;
    checkSetup(record, parts.setup);
    const part = <T>(name: Part, template: T): T =>
      buildTree(RESUME, name, template, partOf(RESUME, saved, name), device);
    const carried = withInitialTrees(parts, (initial) => ({
      params: part("params", initial.params),
      state: part("state", initial.state),
      optimizer: part("optimizer", initial.optimizer),
      sound: tensor(true, { device }),
    }));
    const run = new TrainingRun(parts, carried);
    if (record.setup.model !== model.name) {
      fail(
        "tree-mismatch",
        `${RESUME}: the file is of the model ${record.setup.model}, not of ${model.name}`,
      );
    }
    run.epoch = record.epoch;
    run.step = record.step;
    run.stepInEpoch = record.stepInEpoch;
    run.skipped = record.skipped;
    run.history = [...record.history];
    if (record.stepInEpoch > 0) {
      run.running = new RunningScores(scoreNames(parts.metrics), record.running.rows, [
        ...record.running.sums,
      ]);
    }
    if (record.best !== null) {
      run.best = {
        epoch: record.best.epoch,
        params: partOf(RESUME, saved, "bestParams"),
        state: partOf(RESUME, saved, "bestState"),
      };
    }
    return run;
  }

  get params(): P {
    return this.best?.restored?.params ?? this.carried.params;
  }

  get state(): S {
    return this.best?.restored?.state ?? this.carried.state;
  }

  get optimizerState(): RuleState<P> {
    return this.carried.optimizer;
  }

  get bestEpoch(): number | undefined {
    return this.best?.epoch;
  }

  async keepBest(): Promise<void> {
    const { epoch } = this;
    const reads = this.evaluating(({ params, state }) => [
      readTree("bestParams", params),
      readTree("bestState", state),
    ]);
    const [params, state] = (await Promise.all(reads)) as [HostTree, HostTree];
    this.best = { epoch, params, state };
  }

  restoreBest(): void {
    const { best, carried } = this;
    if (best === undefined) return;
    const { device } = this.parts;
    best.restored ??= {
      params: buildTree("restoreBest", "bestParams", carried.params, best.params, device),
      state: buildTree("restoreBest", "bestState", carried.state, best.state, device),
    };
  }

  predict(x: Tensor, options?: BatchOptions): Tensor {
    return this.evaluating((model) => predictRows(this.forward, model, x, options));
  }

  async evaluate(data: Data, { batchSize = 256 }: BatchOptions = {}): Promise<Scores> {
    checkBatchSize("evaluate", batchSize);
    checkData("evaluate: the data", data, this.parts.device);
    return (await this.scores(data, batchSize, new Pacer(), () => false)) as Scores;
  }

  /** {@link evaluate} that stops in the middle, with undefined, as soon as `interrupted`. */
  async scores(
    data: Data,
    batchSize: number,
    pacer: Pacer,
    interrupted: () => boolean,
  ): Promise<Scores | undefined> {
    const running = new RunningScores(scoreNames(this.parts.metrics));
    for (const [begin, end] of batches(data.x.shape[0] as number, batchSize)) {
      if (interrupted()) return undefined;
      const report = this.evaluating(({ params, state }) =>
        scope(() => {
          const batch = { x: data.x.slice([begin, end]), y: data.y.slice([begin, end]) };
          return this.evaluateBatch(params, state, batch);
        }),
      );
      running.add(await readReport(report), end - begin);
      if (pacer.due) await pacer.pause();
    }
    return running.means();
  }

  async save(path: string): Promise<void> {
    if (typeof path !== "string" || path === "") {
      fail("invalid-argument", `save: expected the path of a file, got ${JSON.stringify(path)}`);
    }
    await writeFileAtomically("save", path, await this.toBytes());
  }

  toBytes(): Promise<Uint8Array> {
    // Everything is taken here and now: whatever awaits comes after.
    const { params, state, optimizer } = this.carried;
    const record = this.record();
    const reads: [Part, Promise<HostTree> | HostTree][] = [
      ["params", readTree("params", params)],
      ["state", readTree("state", state)],
      ["optimizer", readTree("optimizer", optimizer)],
    ];
    if (this.evaluationParams !== undefined) {
      const averaged = this.evaluationParams(params, optimizer).params;
      reads.push(["evaluationParams", readTree("evaluationParams", averaged)]);
      disposeTree(averaged);
    }
    if (this.best !== undefined) reads.push(["bestParams", this.best.params], ["bestState", this.best.state]);
    return Promise.all(reads.map(async ([part, tree]) => [part, await tree] as const)).then((parts) =>
      encodeRun({ record, parts: new Map(parts) }),
    );
  }

  dispose(): void {
    disposeTree([this.carried, this.keys, this.best?.restored]);
    for (const compiled of [this.forward, this.evaluateBatch, this.evaluationParams]) compiled?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private record(): RunRecord {
    const { best, running } = this;
    return {
      setup: this.parts.setup,
      epoch: this.epoch,
      step: this.step,
      stepInEpoch: this.stepInEpoch,
      running: { rows: running.rows, sums: [...running.sums] },
      skipped: this.skipped,
      history: [...this.history],
      best: best === undefined ? null : { epoch: best.epoch, restored: best.restored !== undefined },
      callbacks: callbackStates(this.parts.callbacks),
    };
  }

  /** Runs `f`, which must not wait, with the parameters and the state to evaluate with. */
  private evaluating<T>(f: (model: { readonly params: P; readonly state: S }) => T): T {
    const { best, carried, evaluationParams } = this;
    if (best?.restored !== undefined) return f(best.restored);
    if (evaluationParams === undefined) return f(carried);
    const { params } = evaluationParams(carried.params, carried.optimizer);
    try {
      return f({ params, state: carried.state });
    } finally {
      disposeTree(params);
    }
  }
}

/** A callback's name in files: that of the second of a kind ends in `#2`. */
export function callbackKeys(callbacks: readonly Callback[]): string[] {
  const seen = new Map<string, number>();
  return callbacks.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

function callbackStates(callbacks: readonly Callback[]): Record<string, Json> {
  const names = callbackKeys(callbacks);
  const states = callbacks.map((callback, i): [string, Json | undefined] => [
    names[i] as string,
    callback.save?.(),
  ]);
  return Object.fromEntries(states.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** The elements of a small vector, which is disposed. Does not wait where the device need not. */
export function readReport(report: Tensor): ArrayLike<number> | Promise<ArrayLike<number>> {
  try {
    return report.device.readSync === undefined ? report.read() : report.data();
  } finally {
    report.dispose();
  }
}

interface InitialTrees<P, S> {
  readonly params: P;
  readonly state: S;
  readonly optimizer: RuleState<P>;
}

/** Calls `f` with what the model and the rule begin with, and frees it as soon as `f` has returned. */
function withInitialTrees<P, S, T>(parts: RunParts<P, S>, f: (initial: InitialTrees<P, S>) => T): T {
  const { model, rule, setup, device } = parts;
  const made = openScope();
  try {
    return f(
      made.run(() => {
        const { params, state } = model.init(key(setup.seed, { device }));
        return { params, state, optimizer: rule.init(params) };
      }),
    );
  } finally {
    made.dispose();
  }
}

const RESUME = "fit: resume";

/** Whether a file can be continued with these options. What differs is named. */
function checkSetup({ setup: saved, stepInEpoch }: RunRecord, setup: RunSetup): void {
  const { optimizer, rows, x, y } = saved;
  if (optimizer !== setup.optimizer) {
    fail("tree-mismatch", `${RESUME}: the file's optimizer is ${optimizer}, not ${setup.optimizer}`);
  }
  for (const option of ["seed", "batchSize", "dropLast"] as const) {
    if (saved[option] !== setup[option]) {
      fail(
        "invalid-argument",
        `${RESUME}: the file was trained with ${option} ${saved[option]}, not ${setup[option]}`,
      );
    }
  }
  const [precision, wanted] = [saved, setup].map((one) => one.precision ?? "full");
  if (precision !== wanted) {
    fail("invalid-argument", `${RESUME}: the file was trained with precision ${precision}, not ${wanted}`);
  }
  if (rows !== setup.rows || x !== setup.x || y !== setup.y) {
    const [before, now] = [saved, setup].map((one) => `${one.rows} rows of x ${one.x} and y ${one.y}`);
    fail(
      "invalid-argument",
      `${RESUME}: the file was trained with other data: train had ${before}, now ${now}`,
    );
  }
  // Finished epochs do not depend on which metrics are reported; the sums of an unfinished one do.
  const [before, now] = [saved, setup].map((one) => one.metrics.join(", ") || "none");
  if (stepInEpoch > 0 && before !== now) {
    fail(
      "invalid-argument",
      `${RESUME}: the file is in the middle of an epoch with the metrics ${before}, not ${now}`,
    );
  }
}
