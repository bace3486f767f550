export { type BackendSuiteOptions, describeBackend } from "./describe-backend.js";
export { describeOptimizer, type OptimizerSuiteOptions } from "./describe-optimizer.js";
export { expectNoLeaks } from "./no-leaks.js";
export type { Tolerance, ToleranceName } from "./tolerance.js";
