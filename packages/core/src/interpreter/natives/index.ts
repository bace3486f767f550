import type { NativeName } from "../../ir/kernel.js";
import { argsort } from "./argsort.js";
import { cumulate } from "./cumulate.js";
import { host } from "./host.js";
import type { Native, NativeCall } from "./native.js";
import { scatterAdd } from "./scatter-add.js";
import { scatterRows } from "./scatter-rows.js";

const natives: Readonly<Record<NativeName, Native>> = { argsort, cumulate, host, scatterAdd, scatterRows };

/**
 * The reference of every native, for the interpreter and for backends whose memory the host can reach. What is wrong with
 * the elements goes to `call.failed`.
 */
export function runNative(call: NativeCall): void {
  natives[call.kernel.native](call);
}
