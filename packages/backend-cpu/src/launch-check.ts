import { fail, formatShape, type Kernel } from "@gradus/core";

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

/** The message of a failed check, which a phase gave the number of. */
export function failedCheck(kernel: Kernel, number: number): string | undefined {
  return number > 0 && kernel.kind === "loop" ? kernel.checks?.[number - 1]?.message : undefined;
}
