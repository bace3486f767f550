import { describeBackend } from "@gradus/conformance";
import { gpu } from "./gpu.js";

describeBackend("gpu", () => gpu());
