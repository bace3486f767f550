import { axisIndex, calculus as c, type Expr, param } from "@gradus/core";

/** How windows slide over an axis each. */
export interface Sliding {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** How far apart the input's elements are, zeros between them: what a stride becomes in the transposed operation. */
  readonly spread: readonly number[];
  /** Zeros before the input; negative: elements of it that are left out. */
  readonly padding: readonly number[];
}

/** The element of the input that a tap of a window reads: where, and whether there is one. */
export interface Tap {
  readonly at: readonly Expr[];
  readonly guard: Expr | undefined;
}

/**
 * For each axis, `(window stride + tap dilation - padding) / spread`, where the quotient is whole and within the input.
 * `param(i)` is the i-th axis' end, its size times its spread.
 *
 * @param inside the axes on which windows never leave the input, so that nothing need be asked
 */
export function tapOf(
  windows: readonly number[],
  taps: readonly number[],
  { stride, dilation, spread, padding }: Sliding,
  inside: readonly boolean[],
): Tap {
  let guard: Expr | undefined;
  const need = (condition: Expr): void => {
    guard = guard === undefined ? condition : c.logicalAnd(guard, condition);
  };
  const at = windows.map((window, i) => {
    const apart = spread[i] as number;
    const start = c.mul(axisIndex(window), stride[i] as number);
    const reach = c.mul(axisIndex(taps[i] as number), dilation[i] as number);
    const position = c.sub(c.add(start, reach), padding[i] as number);
    if (inside[i] === true) return position;
    need(c.greaterEqual(position, 0));
    need(c.less(position, param(i, "i32")));
    if (apart > 1) need(c.equal(c.imod(position, apart), 0));
    return c.idiv(position, apart);
  });
  return { at, guard };
}

/** The axes on which windows never leave an input of `sizes`. */
export function staysInside(
  { stride, dilation, spread, padding }: Sliding,
  sizes: readonly number[],
  kernel: readonly number[],
  out: readonly number[],
): boolean[] {
  return out.map((count, i) => {
    const last = (count - 1) * (stride[i] as number) + ((kernel[i] as number) - 1) * (dilation[i] as number);
    return spread[i] === 1 && padding[i] === 0 && last < (sizes[i] as number);
  });
}
