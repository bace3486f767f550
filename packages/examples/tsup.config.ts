import { build } from "../../tooling/tsup.js";

export default build({ program: ["demo", "choose-recipe", "checkpoint-memory", "write-second-order"] });
