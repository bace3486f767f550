import type { Backend } from "@gradus/core";
import { assert } from "vitest";

/**
 * Runs `f` and fails unless the device then has as many buffers as before: whatever `f` made, it gave back. Choose a
 * device whose memory is not collected, such as `interpreter({ collected: false })`, so that leaks count.
 *
 * @returns what `f` returns; if that is a Promise, the check waits for it
 *
 * @example
 * ```ts
 * import { expectNoLeaks } from "@gradus/conformance";
 * import { interpreter } from "@gradus/core";
 * const device = interpreter({ collected: false });
 * expectNoLeaks(device, () => device.free(device.alloc(16)));
 * ```
 */
export function expectNoLeaks<T>(device: Backend, f: () => T): T {
  const before = device.memory().buffers;
  const result = f();
  if (isPromise(result)) {
    return result.then((value) => {
      check(device, before);
      return value;
    }) as T;
  }
  check(device, before);
  return result;
}

function isPromise(x: unknown): x is Promise<unknown> {
  return typeof x === "object" && x !== null && "then" in x;
}

function check(device: Backend, before: number): void {
  const { buffers, bytes } = device.memory();
  if (buffers === before) return;
  const more = buffers - before;
  assert.fail(
    more > 0
      ? `${more} buffers on ${device.name} were not given back (${bytes} bytes are in use)`
      : `${-more} buffers on ${device.name} were freed that were there before`,
  );
}
