import { describeBackend } from "@gradus/conformance";
import { cpu } from "./cpu.js";

describeBackend("cpu on one thread", () => cpu({ threads: 1 }));
describeBackend("cpu in a worker", () => cpu({ worker: true }));
