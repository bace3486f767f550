import { fail, formatShape, type PerAxis, type Shape } from "@gradus/core";

/* How windows (kernels) slide over the last axes of a tensor. */

/** One number for all of `count` axes, or a list of as many. */
export function perAxis(op: string, name: string, value: PerAxis, count: number, least: number): number[] {
  const list = typeof value === "number" ? new Array<number>(count).fill(value) : [...value];
  if (list.length !== count || !list.every((n) => Number.isInteger(n) && n >= least)) {
    fail(
      "invalid-argument",
      `${op}: ${name} must be a whole number of at least ${least} or ${count} of them, got ${value}`,
    );
  }
  return list;
}

/** A window's way over one axis. */
export interface Sliding {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Positions outside, before and behind. */
  readonly padding: readonly [before: number, after: number];
}

/** How many windows fit; with `ceil`, also one that reaches over the end but starts before it. */
export function windowCount(op: string, shape: Shape, sliding: Sliding, ceil = false): number {
  const { size, kernel, stride, dilation, padding } = sliding;
  const reach = dilation * (kernel - 1) + 1;
  const room = size + padding[0] + padding[1] - reach;
  if (room < 0) {
    fail(
      "shape-mismatch",
      `${op}: a window of ${reach} is larger than the axis of ${size} of ${formatShape(shape)} with its padding. Pad more?`,
    );
  }
  if (!ceil) return Math.floor(room / stride) + 1;
  const count = Math.ceil(room / stride) + 1;
  return (count - 1) * stride >= size + padding[0] ? count - 1 : count;
}
