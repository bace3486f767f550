import { describeBackend } from "@gradus/conformance";
import { gpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

describeBackend("gpu", () => gpu({ gpu: nodeGpu() }));
