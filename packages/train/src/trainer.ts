import {
  fail,
  flattenTree,
  GradusError,
  isGradusError,
  isScalar,
  mapLeaves,
  scalar,
  type Tensor,
} from "@gradus/core";
import { tensor } from "@gradus/tensor";
import type { Callback, TrainContext } from "./callback.js";
import { type Data, epochOrder } from "./data.js";
import { Pacer } from "./event-loop.js";
import { NonFiniteError } from "./non-finite.js";
import { type RunParts, readReport, type Stopped, type TrainingRun } from "./run.js";
import { RunningScores, scoreNames } from "./scores.js";
import { type Carried, REPORT, type TrainingStep, trainingStep } from "./step.js";

export interface TrainerOptions {
  readonly data: Data;
  /** Rows of `data` that an epoch visits. */
  readonly rows: number;
  readonly validation: Data | undefined;
  readonly epochs: number;
  readonly signal: AbortSignal | undefined;
  readonly onNonFinite: "throw" | "skip";
}

type Hook = "onTrainBegin" | "onEpochBegin" | "onStepEnd" | "onPause" | "onEpochEnd" | "onTrainEnd";

/** Steps whose reports may be unread on a device that works while the host goes on. */
const MAX_UNREAD = 64;

/** A step that was sent to the device and whose report was not looked at yet. */
interface Unread<P, S> {
  readonly report: Tensor;
  readonly rows: number;
  /** Where the run was before the step. */
  readonly step: number;
  readonly stepInEpoch: number;
  /** What the step was given; its tensors are donated, its scalars are not. */
  readonly before: Carried<P, S>;
}

/** The loop: it moves a run from where it is to the last epoch. */
export class Trainer<P, S> {
  private readonly step: TrainingStep<P, S>;
  private readonly pacer = new Pacer();
  private readonly unread: Unread<P, S>[] = [];
  /** Files to be written as soon as all callbacks have run. */
  private readonly saves = new Set<string>();
  private stopRequested = false;
  private readonly stepsPerEpoch: number;
  private readonly readsEveryStep: boolean;

  constructor(
    private readonly run: TrainingRun<P, S>,
    private readonly parts: RunParts<P, S>,
    private readonly options: TrainerOptions,
  ) {
    const { model, loss, rule, metrics, callbacks, device, setup } = parts;
    const { onNonFinite, rows } = options;
    const [sticky, isMixed] = [onNonFinite === "throw", setup.precision === "mixed"];
    this.step = trainingStep(model, loss, rule, { metrics, sticky, isMixed });
    this.stepsPerEpoch = Math.ceil(rows / setup.batchSize);
    // A skipped update must not count in the next one's schedule, so it has to be known before that is sent.
    this.readsEveryStep =
      device.readSync !== undefined ||
      onNonFinite === "skip" ||
      callbacks.some((callback) => callback.onStepEnd !== undefined);
  }

  async train(): Promise<void> {
    const { run } = this;
    run.stopped = undefined;
    try {
      await this.notify("onTrainBegin");
      run.stopped = await this.trainEpochs();
    } catch (error) {
      // Displays end their line, checkpoints write what there is; what went wrong first is what is thrown.
      await this.notify("onTrainEnd").catch(() => undefined);
      throw error;
    }
    await this.notify("onTrainEnd");
  }

  dispose(): void {
    this.step.dispose();
    for (const { report } of this.unread) report.dispose();
  }

  private async trainEpochs(): Promise<Stopped> {
    const { run, options } = this;
    while (run.epoch < options.epochs) {
      const stopped = (await this.trainSteps()) ?? (await this.finishEpoch());
      if (stopped !== undefined) return stopped;
    }
    return "finished";
  }

  private stopReason(): Stopped | undefined {
    if (this.options.signal?.aborted === true) return "aborted";
    return this.stopRequested ? "early-stopping" : undefined;
  }

  /** The steps of the epoch that are left. */
  private async trainSteps(): Promise<Stopped | undefined> {
    const { run, parts } = this;
    if (this.stopReason() !== undefined) return this.stopReason();
    if (run.stepInEpoch === 0) await this.notify("onEpochBegin");
    const order = epochOrder(run.keys.order, run.epoch, parts.setup.rows);
    try {
      while (run.stepInEpoch < this.stepsPerEpoch && this.stopReason() === undefined) {
        this.sendStep(order);
        if (this.readsEveryStep || this.unread.length >= MAX_UNREAD) await this.readSteps();
        await this.notify("onStepEnd");
        await this.breathe();
      }
    } finally {
      order.dispose();
    }
    await this.readSteps();
    // An epoch whose steps are all done is finished, whoever asked to stop.
    return run.stepInEpoch < this.stepsPerEpoch ? this.stopReason() : undefined;
  }

  private sendStep(order: Tensor): void {
    const { run, options, parts } = this;
    const { batchSize } = parts.setup;
    const begin = run.stepInEpoch * batchSize;
    const end = Math.min(begin + batchSize, options.rows);
    const { step, stepInEpoch, carried } = run;
    const rows = order.slice([begin, end]);
    const variant = parts.rule.variant?.(carried.optimizer);
    const result = this.step(carried, options.data, rows, run.keys, scalar(step), variant);
    rows.dispose();
    run.carried = result.carried;
    run.step++;
    run.stepInEpoch++;
    this.unread.push({
      report: result.report,
      rows: end - begin,
      step,
      stepInEpoch,
      before: carried,
    });
  }

  /** Looks at the reports of the steps sent so far. */
  private async readSteps(): Promise<void> {
    const { run, options } = this;
    const sent = this.unread.splice(0);
    if (sent.length === 0) return;
    const reads = sent.map((one) => this.readOne(one));
    // The first failure is thrown below; others that follow from it must not count as unhandled.
    for (const read of reads) read.catch(() => undefined);
    for (const [i, one] of sent.entries()) {
      const report = (await reads[i]) as ArrayLike<number>;
      if (report[REPORT.accepted] === 1) {
        run.running.add(Array.from(report).slice(REPORT.scores), one.rows);
        continue;
      }
      run.carried = withScalars(run.carried, one.before);
      if (options.onNonFinite === "throw") this.failNonFinite(one, report[REPORT.scores] as number);
      run.skipped++;
    }
  }

  /** A step's report; what the device finds wrong only now is told with the step's place. */
  private async readOne({ report, step, stepInEpoch }: Unread<P, S>): Promise<ArrayLike<number>> {
    try {
      return await readReport(report);
    } catch (cause) {
      if (!isGradusError(cause)) throw cause;
      throw new GradusError(cause.code, `fit: ${this.placeOf(step, stepInEpoch)}: ${cause.message}`, {
        cause,
      });
    }
  }

  /** Puts the run back to where it was before the bad update, and throws. */
  private failNonFinite({ step, stepInEpoch }: Unread<P, S>, loss: number): never {
    const { run, parts } = this;
    const place = this.placeOf(step, stepInEpoch);
    run.step = step;
    run.stepInEpoch = stepInEpoch;
    run.carried.sound.dispose();
    run.carried = { ...run.carried, sound: tensor(true, { device: parts.device }) };
    const what = Number.isFinite(loss)
      ? "an update would make a parameter or state NaN or infinite"
      : `the loss is ${loss}`;
    throw new NonFiniteError(
      `fit: ${what} at ${place}. The error's run has the parameters from before. ` +
        `Lower the learning rate, clip the gradients, or go on without such updates: onNonFinite: "skip"`,
      run,
    );
  }

  private placeOf(step: number, stepInEpoch: number): string {
    return `epoch ${this.run.epoch + 1}, step ${stepInEpoch + 1} of ${this.stepsPerEpoch} (step ${step + 1} in all)`;
  }

  /** Validation and the epoch's entry in the history. */
  private async finishEpoch(): Promise<Stopped | undefined> {
    const { run, options, parts } = this;
    let validation: TrainContext["scores"] | undefined;
    if (options.validation !== undefined) {
      const interrupted = (): boolean => options.signal?.aborted === true;
      const batchSize = Math.max(parts.setup.batchSize, 256);
      validation = await run.scores(options.validation, batchSize, this.pacer, interrupted);
      // The epoch stays open: a resumed run begins with its validation.
      if (validation === undefined) return "aborted";
    }
    const train = run.running.means();
    const { optimizer } = run.carried;
    const observed = parts.rule.observe?.(optimizer, (validation ?? train).loss) ?? optimizer;
    run.carried = { ...run.carried, optimizer: observed };
    run.epoch++;
    run.stepInEpoch = 0;
    run.running = new RunningScores(scoreNames(parts.metrics));
    run.history.push({ epoch: run.epoch, train, ...(validation !== undefined && { validation }) });
    await this.notify("onEpochEnd", { epoch: run.epoch, step: this.stepsPerEpoch, scores: train });
    await this.breathe();
    return undefined;
  }

  /** Lets the event loop run if it has waited long enough. Everything that was sent is known before. */
  private async breathe(): Promise<void> {
    if (!this.pacer.due) return;
    await this.readSteps();
    await this.notify("onPause");
    await this.pacer.pause();
  }

  private async notify(hook: Hook, changes: Partial<TrainContext> = {}): Promise<void> {
    const callbacks = this.parts.callbacks.filter((callback) => callback[hook] !== undefined);
    if (callbacks.length === 0) return;
    const context = { ...this.context(), ...changes };
    for (const callback of callbacks) await (callback as Required<Callback>)[hook](context);
    const paths = [...this.saves];
    this.saves.clear();
    for (const path of paths) await this.run.save(path);
  }

  private context(): TrainContext {
    const { run, options } = this;
    return {
      run,
      epoch: Math.min(run.epoch + 1, options.epochs),
      epochs: options.epochs,
      step: run.stepInEpoch,
      steps: this.stepsPerEpoch,
      scores: run.running.means(),
      stop: () => {
        this.stopRequested = true;
      },
      save: (path) => {
        this.saves.add(path);
      },
      keepBest: () => run.keepBest(),
      restoreBest: () => run.restoreBest(),
    };
  }
}

/** `state` with the scalars of `earlier`: what the host computed for a step that did not happen is taken back. */
function withScalars<T>(state: T, earlier: T): T {
  const scalars = flattenTree(earlier).leaves.filter(isScalar);
  let next = 0;
  return mapLeaves(state, (leaf) =>
    isScalar(leaf)
      ? (scalars[next++] ?? fail("tree-mismatch", "fit: the state has changed its structure"))
      : leaf,
  );
}
