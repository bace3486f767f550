import { fail, type Layer, type Rule } from "@gradus/core";
import type { Callback } from "./callback.js";
import { checkData, type Data } from "./data.js";
import type { Metrics } from "./scores.js";
import type { TrainingLoss } from "./step.js";

export interface FitOptions<M extends Metrics = Metrics> {
  /** From the model's output and the targets to one number, such as `crossEntropy`. */
  readonly loss: TrainingLoss;
  /** Such as `adamw({ lr: 1e-3 })`. */
  readonly optimizer: Rule;
  /** What to learn from. The device of its tensors is where the training runs. */
  readonly train: Data;
  /** What to evaluate with after each epoch. */
  readonly validation?: Data;
  /** How often to go over the training data. */
  readonly epochs: number;
  /** Rows per step. The last step of an epoch takes what is left. Default 32. */
  readonly batchSize?: number;
  /** Leave out a last batch that is short. Default false. */
  readonly dropLast?: boolean;
  /** Decides the initial parameters, the order of the rows and all random layers. Default 0. */
  readonly seed?: number;
  /** Reported beside the loss, by name: `{ accuracy }`. Means over batches, weighted by their rows. */
  readonly metrics?: M;
  readonly callbacks?: readonly Callback[];
  /** Stops after the current step. `fit` then returns the run, with `stopped` "aborted", and nothing is lost. */
  readonly signal?: AbortSignal;
  /**
   * What to do when an update would make the loss, a parameter or the layers' state NaN or infinite; the update is never
   * done. "throw" (the default): a `NonFiniteError`, whose `run` has the parameters from before. "skip": go on with the
   * next batch, and count it in `run.skipped`.
   */
  readonly onNonFinite?: "throw" | "skip";
  /**
   * "mixed" trains in mixed precision: the model and the loss run in `autocast`, with products in f16, while parameters stay f32. It
   * needs a device that has f16, and an optimizer that scales the loss: `lossScaled(adam())` of `@gradus/optimizers`. Validation
   * and predictions are in full precision. Default "full": all in the tensors' own dtypes.
   */
  readonly precision?: "full" | "mixed";
  /** Whether to show how far the training is, where there is a `process.stderr`. Default true. */
  readonly progress?: boolean;
  /** Continue a saved run: the path of its file, or its bytes. The other options must be those of that run. */
  readonly resume?: string | Uint8Array;
}

const OPTIONS: Readonly<Record<keyof FitOptions, true>> = {
  loss: true,
  optimizer: true,
  train: true,
  validation: true,
  epochs: true,
  batchSize: true,
  dropLast: true,
  seed: true,
  metrics: true,
  callbacks: true,
  signal: true,
  onNonFinite: true,
  precision: true,
  progress: true,
  resume: true,
};

/** Throws, naming the option and the mend, for options that cannot work, and for names that are none. */
export function checkOptions(model: Layer, options: FitOptions): void {
  if (typeof model?.apply !== "function" || typeof model.init !== "function") {
    fail("invalid-argument", "fit: the first argument must be a layer, such as sequential(linear(64, 10))");
  }
  if (typeof options !== "object" || options === null)
    fail("invalid-argument", "fit: the options are missing");
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      fail(
        "invalid-argument",
        `fit: unknown option ${JSON.stringify(name)}. There are ${Object.keys(OPTIONS).join(", ")}`,
      );
    }
  }
  const { loss, optimizer, train, validation, epochs, batchSize = 32, seed = 0, resume } = options;
  expect(typeof loss === "function", "loss must be a function, such as crossEntropy", loss);
  expect(
    typeof optimizer?.update === "function",
    "optimizer must be a rule, such as adam({ lr: 1e-3 })",
    optimizer,
  );
  expect(isCount(epochs), "epochs must be a whole number of at least 0", epochs);
  expect(isCount(batchSize) && batchSize >= 1, "batchSize must be a whole number of at least 1", batchSize);
  expect(Number.isSafeInteger(seed), "seed must be a whole number", seed);
  for (const name of ["dropLast", "progress"] as const) {
    const value = options[name];
    expect(value === undefined || typeof value === "boolean", `${name} must be true or false`, value);
  }
  const { onNonFinite } = options;
  expect(
    [undefined, "throw", "skip"].includes(onNonFinite),
    `onNonFinite must be "throw" or "skip"`,
    onNonFinite,
  );
  const isFile = resume === undefined || typeof resume === "string" || resume instanceof Uint8Array;
  expect(isFile, "resume must be a path or a Uint8Array", resume);
  checkPrecision(options);
  checkMetrics(options.metrics);
  checkCallbacks(options.callbacks);

  checkData("fit: train", train);
  if (validation !== undefined) checkData("fit: validation", validation, train.x.device);
  checkData("fit: train", train, train.x.device);
  const rows = train.x.shape[0] as number;
  if (options.dropLast === true && rows < batchSize) {
    fail(
      "invalid-argument",
      `fit: dropLast leaves nothing: batchSize is ${batchSize}, and there are ${rows} rows`,
    );
  }
}

function checkPrecision({ precision, optimizer, train }: FitOptions): void {
  expect([undefined, "full", "mixed"].includes(precision), 'precision must be "full" or "mixed"', precision);
  if (precision !== "mixed") return;
  expect(
    optimizer.lossScale !== undefined,
    'precision "mixed" needs an optimizer that scales the loss, since small gradients vanish in f16: lossScaled(adam())',
    optimizer.name,
  );
  const device = train?.x?.device;
  if (device === undefined || device.caps.dtypes.includes("f16")) return;
  fail(
    "unsupported",
    `fit: precision "mixed" needs f16, which the device ${device.name} does not have. Train with precision "full"`,
  );
}

function checkMetrics(metrics: Metrics | undefined): void {
  for (const [name, metric] of Object.entries(metrics ?? {})) {
    expect(typeof metric === "function", `metrics.${name} must be a function, such as accuracy`, metric);
    expect(name !== "loss", "the name loss is the loss's own: give the metric another", name);
  }
}

function checkCallbacks(callbacks: readonly Callback[] | undefined): void {
  expect(callbacks === undefined || Array.isArray(callbacks), "callbacks must be a list", callbacks);
  callbacks?.forEach((callback, i) => {
    const called = typeof callback === "function" ? ". Call it: earlyStopping()" : "";
    expect(
      typeof callback?.name === "string" && called === "",
      `callbacks[${i}] must be an object with a name${called}`,
      callback,
    );
  });
}

function isCount(x: unknown): boolean {
  return Number.isSafeInteger(x) && (x as number) >= 0;
}

function expect(holds: boolean, what: string, value: unknown): void {
  if (holds) return;
  const got =
    typeof value === "object" && value !== null
      ? "an object"
      : typeof value === "function"
        ? "a function"
        : value;
  fail(
    "invalid-argument",
    `fit: ${what}, got ${typeof got === "string" ? JSON.stringify(value) : String(value)}`,
  );
}
