import { describeIntegers } from "./integers.fixture.js";

describeIntegers({ mode: "webgl2" });
