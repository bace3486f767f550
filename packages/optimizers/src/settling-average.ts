import type { Scalar, Tensor } from "@gradus/core";
import { movingAverage } from "./moving-average.js";

/** Float32 numbers of about this size are multiples of 2^-110, and so are sums with it. */
const GRAIN = 1.5 * 2 ** -87;

/**
 * A moving average that is a whole multiple of 2^-110 where it is below 2^-87. Where all values are 0 from some step on, as for a
 * unit that is not active any more, a plain one shrinks until rounding keeps it among the subnormal numbers for ever, and
 * processors take many times as long for each. Next to the epsilon of any rule, what this changes is nothing.
 */
export function settlingAverage(old: Tensor, value: Tensor, beta: Scalar | number): Tensor {
  return movingAverage(old, value, beta).add(GRAIN).sub(GRAIN);
}
