import { describeBackend } from "@gradus/conformance";
import { webgl } from "./webgl.js";

// The same kernels as JavaScript: gpu.js on the processor.
describeBackend("webgl in gpu.js's cpu mode", () => webgl({ mode: "cpu" }));
