import type { LoopKernel } from "@gradus/core";
import type { DenseBuffers } from "./dense-buffers.js";
import type { Numbers } from "./index-numbers.js";

/** Rows up to this length are taken in one step by the threads of a workgroup. */
const SHORT_ROW = 1024;
/** With so many rows, it does not matter how long they are. */
const MANY_ROWS = 512;

/**
 * A map of several axes with its last one as an inner axis, or undefined where it is none. So what changes from row to row only, as
 * the place of a row or what is broadcast along it, is found once, and four elements are taken at a time.
 */
export function asRows(kernel: LoopKernel): LoopKernel | undefined {
  const { grid, stages, writes, checks = [] } = kernel;
  if (grid < 2 || stages.length > 0 || [...writes, ...checks].some(({ over }) => over.length > 0))
    return undefined;
  const over = [grid - 1];
  return {
    ...kernel,
    grid: grid - 1,
    writes: writes.map((write) => ({ ...write, over })),
    ...(kernel.checks !== undefined && { checks: checks.map((check) => ({ ...check, over })) }),
  };
}

/** Whether rows of a launch are enough to fill a card, and all that is written lies along them. */
export function rowsPay(rows: LoopKernel, dense: DenseBuffers, numbers: Numbers): boolean {
  const { grid, inputs, outputs } = rows;
  const length = numbers.sizes[grid] as number;
  const count = numbers.sizes.slice(0, grid).reduce((n, size) => n * size, 1);
  if (length > SHORT_ROW && count < MANY_ROWS) return false;
  const { buffers } = dense.of(numbers);
  return outputs.every((_, k) => buffers.has(inputs.length + k));
}
