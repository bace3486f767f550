import type { Tensor } from "@gradus/core";

/**
 * Kronecker's product: every element of `a` times the whole of `b`. Axes are aligned at the right.
 *
 * Source: PyTorch's and NumPy's `kron`.
 *
 * @example
 * ```ts
 * import { kron, tensor } from "@gradus/tensor";
 * console.log(kron(tensor([1, 2]), tensor([1, 10]))); // → Tensor f32[4] [1, 10, 2, 20]
 * ```
 */
export function kron(a: Tensor, b: Tensor): Tensor {
  const rank = Math.max(a.ndim, b.ndim);
  const [m, n] = [a, b].map((x) => [...new Array<number>(rank - x.ndim).fill(1), ...x.shape]) as [
    number[],
    number[],
  ];
  return a
    .reshape(m.flatMap((size) => [size, 1]))
    .mul(b.reshape(n.flatMap((size) => [1, size])))
    .reshape(m.map((size, axis) => size * (n[axis] as number)));
}
