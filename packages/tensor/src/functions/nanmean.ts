import type { Axes, ReduceOptions, Tensor } from "@gradus/core";
import { nansum } from "./nansum.js";

/**
 * The mean of the elements that are not NaN, over axes or all of them; NaN where there are none. Integers become f32.
 *
 * Source: PyTorch's and NumPy's `nanmean`.
 *
 * @example
 * ```ts
 * import { nanmean, tensor } from "@gradus/tensor";
 * console.log(nanmean(tensor([1, NaN, 2])).item()); // → 1.5
 * ```
 */
export function nanmean(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return nansum(x, axes, options).div(x.isNaN().logicalNot().sum(axes, options));
}
