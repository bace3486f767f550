import { type Backend, fail, type Layer, type Tensor } from "@gradus/core";
import { defaultDevice, key, openScope } from "@gradus/tensor";
import { readFile } from "./files.js";
import { buildTree, disposeTree } from "./host-tree.js";
import { type BatchOptions, forwardOf, predictRows } from "./predict.js";
import { decodeRun, partOf } from "./saved-run.js";
import type { EpochLog } from "./scores.js";

/** A trained model, without what it takes to train on. */
export interface LoadedRun<P = unknown, S = unknown> {
  /** The parameters to predict with: those of the best epoch if the run had restored them. */
  readonly params: P;
  readonly state: S;
  /** Epochs that the run had finished. */
  readonly epoch: number;
  readonly history: readonly EpochLog[];
  /** The model's output in evaluation mode. */
  predict(x: Tensor, options?: BatchOptions): Tensor;
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * The trained model in a file of `run.save` (a path, or the file's bytes), for inference.
 *
 * @throws `corrupt-file` or `unsupported` for files that are no saved run, `tree-mismatch`, naming the path, for another
 * model, `invalid-argument` if the file cannot be read.
 *
 * @example
 * ```ts
 * import { mse } from "@gradus/losses";
 * import { linear } from "@gradus/nn";
 * import { sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * import { fit, loadRun } from "@gradus/train";
 * const model = linear(1, 1);
 * const train = { x: tensor([[0], [1]]), y: tensor([[1], [3]]) };
 * const run = await fit(model, { loss: mse, optimizer: sgd({ lr: 0.1 }), train, epochs: 5, progress: false });
 * const loaded = await loadRun(model, await run.toBytes());
 * const x = tensor([[10]]);
 * loaded.predict(x).item() === run.predict(x).item(); // → true
 * ```
 */
export async function loadRun<P, S>(
  model: Layer<P, S>,
  file: string | Uint8Array,
  options: { readonly device?: Backend } = {},
): Promise<LoadedRun<P, S>> {
  const bytes = typeof file === "string" ? await readFile("loadRun", file) : file;
  if (!(bytes instanceof Uint8Array))
    fail("invalid-argument", "loadRun: expected a path or the file's bytes");
  const what = typeof file === "string" ? `loadRun: ${file}` : "loadRun";
  const saved = decodeRun(what, bytes);
  const { best, epoch, history, setup } = saved.record;
  const device = options.device ?? defaultDevice();

  const restored = best?.restored === true;
  const averaged = saved.parts.has("evaluationParams");
  const paramsPart = restored ? "bestParams" : averaged ? "evaluationParams" : "params";
  const statePart = restored ? "bestState" : "state";

  const made = openScope();
  const initial = made.run(() => model.init(key(0, { device })));
  made.dispose();
  const trained = {
    params: buildTree(what, paramsPart, initial.params, partOf(what, saved, paramsPart), device),
    state: buildTree(what, statePart, initial.state, partOf(what, saved, statePart), device),
  };
  if (setup.model !== model.name) {
    fail("tree-mismatch", `${what}: the file is of the model ${setup.model}, not of ${model.name}`);
  }
  const forward = forwardOf(model);
  const dispose = (): void => {
    disposeTree(trained);
    forward.dispose();
  };
  return {
    ...trained,
    epoch,
    history,
    predict: (x, batching) => predictRows(forward, trained, x, batching),
    dispose,
    [Symbol.dispose]: dispose,
  };
}
