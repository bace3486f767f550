import { describeIntegers } from "./integers.fixture.js";

describeIntegers({ mode: "cpu" });
