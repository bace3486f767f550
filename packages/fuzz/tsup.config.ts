import { build } from "../../tooling/tsup.js";

export default build();
