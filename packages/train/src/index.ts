export type { Callback, Json, TrainContext } from "./callback.js";
export { type CheckpointOptions, checkpoint } from "./checkpoint.js";
export type { Data } from "./data.js";
export { type EarlyStoppingOptions, earlyStopping } from "./early-stopping.js";
export { fit } from "./fit.js";
export { type LoadedRun, loadRun } from "./load-run.js";
export { minimize } from "./minimize.js";
export type { MonitorOptions } from "./monitor.js";
export { NonFiniteError } from "./non-finite.js";
export {
  decodeOptimizer,
  encodeOptimizer,
  loadOptimizer,
  type OptimizerFiles,
  type OptimizerOf,
  type StateOf,
  saveOptimizer,
} from "./optimizer-files.js";
export type { FitOptions } from "./options.js";
export type { BatchOptions } from "./predict.js";
export { type ProgressOptions, type ProgressStream, progress } from "./progress.js";
export type { Run, Stopped } from "./run.js";
export type { EpochLog, Metrics, Scores } from "./scores.js";
export type { TrainingLoss } from "./step.js";
