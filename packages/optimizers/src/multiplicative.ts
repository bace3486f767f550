import { checkNonNegative } from "./check-options.js";
import { runningProduct } from "./running-product.js";

export interface MultiplicativeOptions {
  /** The value at step 0. */
  readonly from: number;
  /** What the last value is multiplied by to give that of step t = 1, 2, ...; pure. */
  readonly factor: (step: number) => number;
}

/**
 * A schedule in which each value is the last one times a factor: `from factor(1) ... factor(t)`.
 *
 * @throws `invalid-argument` for a negative `from`.
 *
 * Source: PyTorch's `MultiplicativeLR`.
 *
 * @example
 * ```ts
 * import { multiplicative } from "@gradus/optimizers";
 * const rate = multiplicative({ from: 0.8, factor: (step) => (step % 2 === 0 ? 0.5 : 1) });
 * rate(1); // → 0.8
 * rate(4); // → 0.2
 * ```
 */
export function multiplicative({ from, factor }: MultiplicativeOptions): (step: number) => number {
  checkNonNegative("multiplicative", { from });
  const product = runningProduct((i) => factor(i + 1));
  return (step) => from * product(step);
}
