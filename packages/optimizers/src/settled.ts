import type { Tensor } from "@gradus/core";

/** Float32 numbers of about this size are multiples of 2^-110, and so are sums with it. */
const GRAIN = 1.5 * 2 ** -87;

/**
 * A number that is carried from step to step and shrinks, as a whole multiple of 2^-110 where it is below 2^-87. Where all gradients
 * are 0 from some step on, as for a unit that is not active any more, a moment shrinks until rounding keeps it among the subnormal
 * numbers for ever, and processors take many times as long for each. Next to the epsilon of any rule, what this changes is nothing.
 */
export function settled(x: Tensor): Tensor {
  return x.add(GRAIN).sub(GRAIN);
}
