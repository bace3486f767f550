import type { HostFunction } from "../../ir/kernel.js";
import { checkLength } from "./check-length.js";
import type { NativeCall } from "./native.js";

/** What the kernel itself brings. */
export function host(call: NativeCall): void {
  const message = (call.kernel.host as HostFunction)(
    call.buffers.map(({ length }, k) => checkLength(call, k, length)),
    call.sizes,
  );
  if (message !== undefined) call.failed(message);
}
