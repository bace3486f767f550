import { fail, type Tensor, type TypedArray } from "@gradus/core";
import { asGradusTensor } from "../gradus-tensor.js";
import { dataOf } from "../host.js";

/*
 * Results whose shape depends on values. Outside of `compile` values are there and can be looked at, on a device that can be
 * read without waiting; on others there is a twin of the function that waits.
 */

/** The elements of `x`, for an operation whose result's shape depends on them; `instead` tells what to use in `compile`. */
export function valuesFor(op: string, x: Tensor, instead: string): TypedArray {
  failInTrace(op, x, instead);
  if (x.device.readSync === undefined) {
    fail(
      "no-sync-read",
      `${op}: the result's shape depends on values, and ${x.device.name} cannot be read without waiting. Use: await ${op}Async(...)`,
    );
  }
  return dataOf(asGradusTensor(op, x), op);
}

/** {@link valuesFor}, on any device. */
export async function awaitedValuesFor(op: string, x: Tensor, instead: string): Promise<TypedArray> {
  failInTrace(op, x, instead);
  return await x.read();
}

function failInTrace(op: string, x: Tensor, instead: string): void {
  asGradusTensor(op, x);
  if (x.traced) {
    fail(
      "value-in-trace",
      `${op}: the result's shape depends on values, which cannot be looked at inside compile() and vmap(). ${instead}`,
    );
  }
}
