import { describeBackend } from "@gradus/conformance";
import { cpu } from "./cpu.js";

describeBackend("cpu on one thread", () => cpu({ threads: 1 }));
