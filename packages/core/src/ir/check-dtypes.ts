import type { DType } from "../dtype.js";
import { fail } from "../errors.js";
import { postOrder } from "./expr.js";
import type { Kernel } from "./kernel.js";

/**
 * Throws `unsupported`, naming the kernel, if a kernel uses a dtype that a device has not.
 *
 * @param device the device's name, as messages say it
 * @param dtypes those that it has
 */
export function checkDTypes(kernel: Kernel, device: string, dtypes: readonly DType[]): void {
  const all = [...kernel.inputs, ...kernel.outputs, ...kernel.params];
  if (kernel.kind !== "native") {
    const values = kernel.kind === "loop" ? kernel.stages.map(({ value }) => value) : [kernel.a, kernel.b];
    if (kernel.kind === "contract") all.push(kernel.accumulate);
    all.push(...postOrder([...kernel.writes.map(({ value }) => value), ...values]).map(({ dtype }) => dtype));
  }
  const missing = all.find((dtype) => !dtypes.includes(dtype));
  if (missing === undefined) return;
  fail(
    "unsupported",
    `kernel "${kernel.name}": ${device} has no ${missing}. ${advice[missing as "f16"] ?? ""}`,
  );
}

const advice = {
  f16: 'Use f32, or gpu() on a card with "shader-f16"',
  f64: "Use f32, or cpu() for what needs float64",
};
