import { fail, normalizeAxis, type Tensor } from "@gradus/core";

/**
 * Turned by `times` quarters in the plane of two axes (0 and 1 by default), from the first towards the second: a view.
 *
 * @throws `axis-out-of-range` for axes that are equal or do not exist.
 *
 * Source: PyTorch's and NumPy's `rot90`.
 *
 * @example
 * ```ts
 * import { rot90, tensor } from "@gradus/tensor";
 * console.log(rot90(tensor([[1, 2], [3, 4]])).toArray()); // → [ [ 2, 4 ], [ 1, 3 ] ]
 * ```
 */
export function rot90(x: Tensor, times = 1, axes: readonly [from: number, towards: number] = [0, 1]): Tensor {
  const [a, b] = axes.map((axis) => normalizeAxis("rot90", axis, x.ndim)) as [number, number];
  if (a === b) fail("axis-out-of-range", `rot90: expected two different axes, got ${a} twice`);
  const quarters = ((times % 4) + 4) % 4;
  if (quarters === 0) return x;
  if (quarters === 2) return x.flip([a, b]);
  const turned = x.transpose(a, b);
  return turned.flip(quarters === 1 ? a : b);
}
