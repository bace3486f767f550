import { checkCount, checkNonNegative } from "./check-options.js";

export interface ConstantOptions {
  /** The value in the end. */
  readonly from: number;
  /** What it is multiplied by in the beginning. Default 1/3. */
  readonly factor?: number;
  /** Updates with the factor. Default 5. */
  readonly steps?: number;
}

/**
 * A schedule of two values: `from factor` for the first `steps` updates, `from` afterwards. (For one value, a number
 * is schedule enough.)
 *
 * @throws `invalid-argument` for negative values, and unless `steps` is a whole number.
 *
 * Source: PyTorch's `ConstantLR`.
 *
 * @example
 * ```ts
 * import { constant } from "@gradus/optimizers";
 * const rate = constant({ from: 0.1, factor: 0.5, steps: 2 });
 * rate(1); // → 0.05
 * rate(2); // → 0.1
 * ```
 */
export function constant(options: ConstantOptions): (step: number) => number {
  const { from, factor = 1 / 3, steps = 5 } = options;
  checkNonNegative("constant", { from, factor });
  checkCount("constant", "steps", steps, 0);
  return (step) => (step < steps ? from * factor : from);
}
