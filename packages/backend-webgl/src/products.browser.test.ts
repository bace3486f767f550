import { describeProducts } from "./products.fixture.js";

describeProducts({ mode: "webgl2" });
