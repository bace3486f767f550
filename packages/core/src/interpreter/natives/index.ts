import type { NativeName } from "../../ir/kernel.js";
import { argsort } from "./argsort.js";
import { cumulate } from "./cumulate.js";
import type { Native } from "./native.js";
import { scatterAdd } from "./scatter-add.js";

/** The reference of every native. */
export const natives: Readonly<Record<NativeName, Native>> = { argsort, cumulate, scatterAdd };
