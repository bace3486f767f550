import type { Axes, ReduceOptions, Tensor } from "@gradus/core";

/**
 * How many elements are not zero (NaN is not), over axes or all of them; i32.
 *
 * Source: PyTorch's and NumPy's `count_nonzero`.
 *
 * @example
 * ```ts
 * import { countNonzero, tensor } from "@gradus/tensor";
 * console.log(countNonzero(tensor([[0, 1], [2, 3]]), 0)); // → Tensor i32[2] [1, 2]
 * ```
 */
export function countNonzero(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return x.ne(0).sum(axes, options);
}
