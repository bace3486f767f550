export { type BackendSuiteOptions, describeBackend } from "./describe-backend.js";
export { describeLoss, type LossInputs, type LossSuiteOptions } from "./describe-loss.js";
export { describeOptimizer, type OptimizerSuiteOptions } from "./describe-optimizer.js";
export { expectNoLeaks } from "./no-leaks.js";
export type { Tolerance, ToleranceName } from "./tolerance.js";
