import type { Tensor } from "@gradus/core";

/**
 * `softmax(-x)` along an axis.
 *
 * Source: PyTorch's `nn.functional.softmin`.
 *
 * @example
 * ```ts
 * import { softmin, tensor } from "@gradus/tensor";
 * console.log(softmin(tensor([0, 0]), 0)); // → Tensor f32[2] [0.5, 0.5]
 * ```
 */
export function softmin(x: Tensor, axis: number): Tensor {
  return x.neg().softmax(axis);
}
