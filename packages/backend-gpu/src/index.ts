export { type GpuOptions, gpu } from "./gpu.js";
