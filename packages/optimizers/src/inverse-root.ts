import type { Tensor } from "@gradus/core";

/**
 * `A^(-1/p)` of a symmetric matrix with eigenvalues above 0, by matrix products alone (the coupled Newton iteration), so
 * that it is compiled like any other part of a step. Eigenvalues below a millionth of the greatest (1e-12 of it in f64)
 * count as so much.
 *
 * Source: Iannazzo, "On the Newton Method for the Matrix Pth Root", 2006; Anil et al., "Scalable Second Order Optimization
 * for Deep Learning", 2020.
 */
export function inverseRoot(matrix: Tensor, p: 2 | 4): Tensor {
  const [n] = matrix.shape as readonly [number];
  const identity = eyeLike(matrix, n);
  const [ridge, iterations] = matrix.dtype === "f64" ? ([1e-12, 48] as const) : ([1e-6, 32] as const);
  // The norm is at least the greatest eigenvalue, and at most sqrt(n) times it.
  const norm = matrix.norm();
  const damped = matrix.add(identity.mul(norm.mul(ridge)));
  const scale = damped
    .norm()
    .reciprocal()
    .mul((1 + p) / 2);
  // Invariant: m = root^p A. It goes to the identity.
  let m = damped.mul(scale);
  let root = identity.mul(p === 2 ? scale.sqrt() : scale.sqrt().sqrt());
  for (let i = 0; i < iterations; i++) {
    const factor = identity.mul(1 + 1 / p).sub(m.div(p));
    const square = factor.matmul(factor);
    m = (p === 2 ? square : square.matmul(square)).matmul(m);
    root = root.matmul(factor);
  }
  return root;
}

/** The identity of `n` rows, of another tensor's dtype and device. */
export function eyeLike(like: Tensor, n: number): Tensor {
  const { engine, device, dtype } = like;
  const i = engine.arange(0, n, 1, { dtype: "i32", device });
  return i.reshape([n, 1]).eq(i).cast(dtype);
}
