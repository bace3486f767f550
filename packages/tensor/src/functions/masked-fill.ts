import type { Operand, Tensor } from "@gradus/core";

/**
 * `x` with `value` where the mask is true, broadcast.
 *
 * Source: PyTorch's `masked_fill`.
 *
 * @example
 * ```ts
 * import { maskedFill, tensor } from "@gradus/tensor";
 * console.log(maskedFill(tensor([1, 2]), tensor([true, false]), -1)); // → Tensor f32[2] [-1, 2]
 * ```
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  return mask.where(value, x);
}
