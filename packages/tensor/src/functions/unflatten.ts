import { normalizeAxis, type Shape, type Tensor } from "@gradus/core";

/**
 * One axis cut into several; one of their sizes may be -1.
 *
 * Source: PyTorch's `unflatten`.
 *
 * @example
 * ```ts
 * import { unflatten, zeros } from "@gradus/tensor";
 * console.log(unflatten(zeros([2, 6]), 1, [3, -1]).shape); // → [ 2, 3, 2 ]
 * ```
 */
export function unflatten(x: Tensor, axis: number, sizes: Shape): Tensor {
  const at = normalizeAxis("unflatten", axis, x.ndim);
  const known = sizes.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const filled = sizes.map((n) => (n === -1 ? (x.shape[at] as number) / known : n));
  return x.reshape([...x.shape.slice(0, at), ...filled, ...x.shape.slice(at + 1)]);
}
