import { describeBackend } from "@gradus/conformance";
import { cpu } from "./cpu.js";

describeBackend("cpu", () => cpu());
