import type { Operand, Tensor } from "@gradus/core";

/**
 * `a` where `condition` holds, else `b`, all broadcast. What is not chosen does not matter, NaN included, and gets a
 * gradient of 0.
 *
 * @example
 * ```ts
 * import { tensor, where } from "@gradus/tensor";
 * const x = tensor([-1, 2]);
 * console.log(where(x.gt(0), x, 0)); // → Tensor f32[2] [0, 2]
 * ```
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return condition.where(a, b);
}
