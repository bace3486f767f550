import { describeBackend } from "@gradus/conformance";
import { cpu } from "./cpu.js";

// On one thread: conformance.full.test.ts.
describeBackend("cpu on two threads", () => cpu({ threads: 2 }));
