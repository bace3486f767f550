import { normalizeAxis, type ReduceOptions, type Selection, type Tensor } from "@gradus/core";

/**
 * The greatest value along an axis and where it is: of equal ones the first, which alone gets the gradient; a NaN is the
 * greatest. `x.max(axis)` shares the gradient among ties instead.
 *
 * @throws `axis-out-of-range`; `invalid-argument` along an empty axis.
 *
 * Source: PyTorch's `max(x, dim)`.
 *
 * @example
 * ```ts
 * import { maxAlong, tensor } from "@gradus/tensor";
 * const { values, indices } = maxAlong(tensor([[1, 3, 2]]), 1);
 * console.log(values, indices); // → Tensor f32[1] [3] Tensor i32[1] [1]
 * ```
 */
export function maxAlong(x: Tensor, axis: number, options?: ReduceOptions): Selection {
  return chosen("maxAlong", x, axis, x.ndim === 0 ? undefined : x.argmax(axis, { keepdims: true }), options);
}

/**
 * The least value along an axis and where it is; see {@link maxAlong}.
 *
 * Source: PyTorch's `min(x, dim)`.
 *
 * @example
 * ```ts
 * import { minAlong, tensor } from "@gradus/tensor";
 * console.log(minAlong(tensor([[1, 3, 2]]), 1).values); // → Tensor f32[1] [1]
 * ```
 */
export function minAlong(x: Tensor, axis: number, options?: ReduceOptions): Selection {
  return chosen("minAlong", x, axis, x.ndim === 0 ? undefined : x.argmin(axis, { keepdims: true }), options);
}

function chosen(
  name: string,
  x: Tensor,
  axis: number,
  at: Tensor | undefined,
  options: ReduceOptions = {},
): Selection {
  const along = normalizeAxis(name, axis, Math.max(1, x.ndim));
  if (at === undefined) return { values: x, indices: x.zerosLike().cast("i32") };
  const values = x.gather(along, at);
  if (options.keepdims === true) return { values, indices: at };
  return { values: values.squeeze(along), indices: at.squeeze(along) };
}
