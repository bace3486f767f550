export { type GpuOptions, gpu } from "./gpu.js";
export type { GpuDevice } from "./gpu-backend.js";
export type { KernelProfile } from "./profiler.js";
export type { Tuning } from "./tuner.js";
