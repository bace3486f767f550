import { describeBackend } from "@gradus/conformance";
import { openGpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

// On a software driver, but with kernels laid out for a card: tiles in shared memory, threads that share points, chunks.
describeBackend("gpu as a card", () => openGpu({ gpu: nodeGpu() }, { asCard: true }));
