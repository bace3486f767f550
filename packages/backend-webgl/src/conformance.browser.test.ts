import { describeBackend } from "@gradus/conformance";
import { webgl } from "./webgl.js";

describeBackend("webgl", () => webgl());
