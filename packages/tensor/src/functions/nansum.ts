import { type Axes, isFloat, type ReduceOptions, type Tensor } from "@gradus/core";

/**
 * The sum of the elements that are not NaN, over axes or all of them.
 *
 * Source: PyTorch's and NumPy's `nansum`.
 *
 * @example
 * ```ts
 * import { nansum, tensor } from "@gradus/tensor";
 * console.log(nansum(tensor([1, NaN, 2])).item()); // → 3
 * ```
 */
export function nansum(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return (isFloat(x.dtype) ? x.isNaN().where(0, x) : x).sum(axes, options);
}
