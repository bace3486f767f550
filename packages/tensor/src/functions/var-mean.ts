import type { Axes, ReduceOptions, Tensor } from "@gradus/core";

/**
 * The variance and the mean, over axes or all of them.
 *
 * Source: PyTorch's `var_mean`.
 *
 * @example
 * ```ts
 * import { tensor, varMean } from "@gradus/tensor";
 * const [variance, mean] = varMean(tensor([1, 3]));
 * console.log(variance.item(), mean.item()); // → 2 2
 * ```
 */
export function varMean(
  x: Tensor,
  axes?: Axes,
  options: ReduceOptions & { readonly correction?: number } = {},
): [variance: Tensor, mean: Tensor] {
  return [x.var(axes, options), x.mean(axes, options)];
}
