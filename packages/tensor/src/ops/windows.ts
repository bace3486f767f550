import { fail, formatShape, type MaxPoolOptions, type PerAxis, type Shape, type Tensor } from "@gradus/core";

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
interface Way {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Positions outside, before and behind. */
  readonly padding: readonly [before: number, after: number];
}

/** How many windows fit; with `ceil`, also one that reaches over the end but starts before it. */
export function windowCount(op: string, shape: Shape, way: Way, ceil = false): number {
  const { size, kernel, stride, dilation, padding } = way;
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

/** How windows slide over a tensor's last axes. */
export interface Windows {
  /** The axes before those that the windows slide over. */
  readonly lead: Shape;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly out: readonly number[];
}

/** The windows of a pooling operation. */
export function windowsOf(op: string, x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions): Windows {
  const rank = typeof kernelSize === "number" ? x.ndim - 2 : kernelSize.length;
  if (rank < 1 || rank > x.ndim) {
    fail(
      "shape-mismatch",
      `${op}: the input needs a batch axis, channels and axes for the window, got ${formatShape(x.shape)}. Or name the window's sizes: [2, 2]`,
    );
  }
  const kernel = perAxis(op, "the window", kernelSize, rank, 1);
  const stride = perAxis(op, "stride", options.stride ?? kernel, rank, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, rank, 1);
  const padding = perAxis(op, "padding", options.padding ?? 0, rank, 0);
  const wide = padding.findIndex((pad, i) => pad > (kernel[i] as number) / 2);
  if (wide >= 0) {
    fail(
      "invalid-argument",
      `${op}: padding ${padding[wide]} must be at most half of the window ${kernel[wide]}: a window must hold an element`,
    );
  }
  const sizes = x.shape.slice(x.ndim - rank);
  const out = sizes.map((size, i) => {
    const pad = padding[i] as number;
    const sliding = {
      size,
      kernel: kernel[i] as number,
      stride: stride[i] as number,
      dilation: dilation[i] as number,
      padding: [pad, pad] as const,
    };
    return windowCount(op, x.shape, sliding, options.ceilMode);
  });
  return { lead: x.shape.slice(0, x.ndim - rank), sizes, kernel, stride, dilation, padding, out };
}
