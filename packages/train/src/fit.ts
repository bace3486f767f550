import type { Layer } from "@gradus/core";
import type { Callback } from "./callback.js";
import { dense, rowType } from "./data.js";
import { readFile } from "./files.js";
import { disposeTree } from "./host-tree.js";
import { checkOptions, type FitOptions } from "./options.js";
import { progress } from "./progress.js";
import { callbackKeys, type Run, type RunParts, TrainingRun } from "./run.js";
import { decodeRun, type SavedRun } from "./saved-run.js";
import type { Metrics } from "./scores.js";
import { Trainer } from "./trainer.js";

/**
 * Trains a model: mini-batches in random order, a compiled step, validation after each epoch.
 *
 * The result depends on the options and the seed alone: two runs are equal to the last bit, and so are a run and one that
 * was stopped, saved and resumed. While it trains, timers, servers and pages get their turns, several times a second.
 *
 * @throws `invalid-argument`, `shape-mismatch`, `device-mismatch` for options that cannot work; `tree-mismatch` or
 * `corrupt-file` for a file that cannot be resumed; `non-finite` (see `onNonFinite`), and what the model, loss, rule or a
 * callback throws.
 *
 * @example
 * ```ts
 * import { mse } from "@gradus/losses";
 * import { linear } from "@gradus/nn";
 * import { sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * import { fit } from "@gradus/train";
 * const train = { x: tensor([[0], [1], [2], [3]]), y: tensor([[1], [3], [5], [7]]) };
 * const run = await fit(linear(1, 1), {
 *   loss: mse, optimizer: sgd({ lr: 0.1 }), train, epochs: 200, batchSize: 4, progress: false,
 * });
 * run.predict(tensor([[10]])).item().toFixed(3); // → 21.000
 * run.stopped; // → finished
 * ```
 */
export async function fit<P, S, M extends Metrics = Record<never, never>>(
  model: Layer<P, S>,
  options: FitOptions<M>,
): Promise<Run<P, S, M>> {
  checkOptions(model, options);
  const { loss, optimizer, train, metrics = {}, signal, validation, epochs, onNonFinite = "throw" } = options;
  const { batchSize = 32, dropLast = false, seed = 0, precision = "full" } = options;
  const device = train.x.device;
  const rows = train.x.shape[0] as number;
  const callbacks = [...(options.callbacks ?? []), ...defaultCallbacks(options)];
  const parts: RunParts<P, S> = {
    model,
    rule: optimizer,
    loss,
    metrics,
    callbacks,
    device,
    setup: {
      model: model.name,
      optimizer: optimizer.name,
      seed,
      batchSize,
      dropLast,
      ...(precision === "mixed" && { precision }),
      rows,
      x: rowType(train.x),
      y: rowType(train.y),
      metrics: Object.keys(metrics),
    },
  };
  const saved = await savedRun(options.resume);
  const run = saved === undefined ? await TrainingRun.start(parts) : TrainingRun.resume(parts, saved);
  restoreCallbacks(callbacks, saved);

  const data = dense(train);
  const trainer = new Trainer(run, parts, {
    data,
    validation,
    epochs,
    signal,
    onNonFinite,
    rows: dropLast ? rows - (rows % batchSize) : rows,
  });
  try {
    await trainer.train();
  } finally {
    disposeTree(data);
    trainer.dispose();
  }
  return run as Run<P, S, Metrics> as Run<P, S, M>;
}

async function savedRun(resume: string | Uint8Array | undefined): Promise<SavedRun | undefined> {
  if (resume === undefined) return undefined;
  const bytes = typeof resume === "string" ? await readFile("fit: resume", resume) : resume;
  return decodeRun(typeof resume === "string" ? `fit: resume: ${resume}` : "fit: resume", bytes);
}

function restoreCallbacks(callbacks: readonly Callback[], saved: SavedRun | undefined): void {
  const keys = callbackKeys(callbacks);
  callbacks.forEach((callback, i) => {
    callback.restore?.(saved?.record.callbacks[keys[i] as string]);
  });
}

function defaultCallbacks({ progress: wanted = true, callbacks = [] }: FitOptions): Callback[] {
  const { process } = globalThis as { process?: { stderr?: unknown } };
  if (!wanted || process?.stderr === undefined || callbacks.some(({ name }) => name === "progress"))
    return [];
  return [progress()];
}
