import { type Buffer, fail, formatShape, type Kernel } from "@gradus/core";

/** Refuses a list whose length is not what the kernel takes. */
export function checkCount(
  { name }: Kernel,
  what: "buffers" | "sizes" | "params",
  list: readonly unknown[],
  expected: number,
): void {
  if (list.length === expected) return;
  fail("kernel-invalid", `kernel "${name}" takes ${expected} ${what}, but the launch has ${list.length}`);
}

/** @param axes how many there must be; undefined where the native decides */
export function checkSizes(kernel: Kernel, axes: number | undefined, sizes: readonly number[]): void {
  checkCount(kernel, "sizes", sizes, axes ?? sizes.length);
  if (sizes.every((size) => Number.isInteger(size) && size >= 0)) return;
  fail(
    "kernel-invalid",
    `kernel "${kernel.name}": sizes must be whole numbers of at least 0, got ${formatShape(sizes)}`,
  );
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

/** The message of a failed check, which a phase gave the number of. */
export function failedCheck(kernel: Kernel, number: number): string | undefined {
  return number > 0 && kernel.kind === "loop" ? kernel.checks?.[number - 1]?.message : undefined;
}
