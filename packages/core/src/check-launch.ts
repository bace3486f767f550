import type { Buffer, Launch } from "./backend.js";
import { bytesOf, type DType } from "./dtype.js";
import { fail } from "./errors.js";
import { nativeLengths } from "./interpreter/natives/native-lengths.js";
import type { Kernel } from "./ir/kernel.js";
import { formatShape } from "./shape.js";

/**
 * Throws `kernel-invalid`, naming the kernel, unless a launch brings what its kernel takes: as many buffers, sizes and
 * params, sizes that are sizes, an output in an input's buffer exactly where the kernel says so, and for natives buffers
 * that are large enough. Whose the buffers are, and whether they are alive, the backend knows.
 */
export function checkLaunch({ executable: { kernel }, buffers, sizes, params }: Launch): void {
  const { name, inputs, outputs } = kernel;
  if (buffers.length !== inputs.length + outputs.length) {
    const expected = `${inputs.length} inputs and ${outputs.length} outputs`;
    fail(
      "kernel-invalid",
      `kernel "${name}" takes ${expected}, but the launch has ${buffers.length} buffers`,
    );
  }
  const axes = axesOf(kernel);
  if (axes !== undefined && sizes.length !== axes) {
    fail("kernel-invalid", `kernel "${name}" has ${axes} axes, but the launch has ${sizes.length} sizes`);
  }
  if (params.length !== kernel.params.length) {
    fail(
      "kernel-invalid",
      `kernel "${name}" takes ${kernel.params.length} params, but the launch has ${params.length}`,
    );
  }
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 0) {
      fail(
        "kernel-invalid",
        `kernel "${name}": sizes must be whole numbers of at least 0, got ${formatShape(sizes)}`,
      );
    }
  }
  checkAliases(kernel, buffers);
  if (kernel.kind !== "native") return;
  nativeLengths(kernel, sizes)?.forEach((needed, k) => {
    const dtype = (k < inputs.length ? inputs[k] : outputs[k - inputs.length]) as DType;
    const held = Math.floor((buffers[k] as Buffer).bytes / bytesOf(dtype));
    if (held >= needed) return;
    fail("kernel-invalid", `kernel "${name}": buffer ${k} has ${held} elements, but ${needed} are needed`);
  });
}

/** How many sizes a launch must bring; undefined where the native decides. */
function axesOf(kernel: Kernel): number | undefined {
  if (kernel.kind === "native") return undefined;
  if (kernel.kind === "loop") return kernel.axes;
  const { batch, m, n, k } = kernel.groups;
  return batch + m + n + k;
}

/** An output is in an input's buffer exactly where the kernel says so: it was made for that. */
export function checkAliases({ name, inputs, outputs, aliases }: Kernel, buffers: readonly Buffer[]): void {
  for (let k = 0; k < outputs.length; k++) {
    for (let i = 0; i < inputs.length; i++) {
      const shared = buffers[i] === buffers[inputs.length + k];
      if (shared === (aliases?.[k] === i)) continue;
      const problem = shared ? "but the kernel does not say so" : "as the kernel says";
      const is = shared ? "is" : "is not";
      fail("kernel-invalid", `kernel "${name}": output ${k} ${is} in the buffer of input ${i}, ${problem}`);
    }
  }
}
