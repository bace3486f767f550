import type { Tensor } from "@gradus/core";

/**
 * The orthonormal columns that Gram and Schmidt make of a matrix's, from left to right: the Q of its QR decomposition, with
 * an R whose diagonal is above 0. By halves, so that nearly all of it is matrix products, and twice, so that rounding does
 * not add up. The columns must be independent.
 */
export function orthonormal(matrix: Tensor): Tensor {
  return gramSchmidt(gramSchmidt(matrix));
}

function gramSchmidt(x: Tensor): Tensor {
  const [, n] = x.shape as readonly [number, number];
  if (n === 1) return x.div(x.norm().maximum(x.dtype === "f64" ? 1e-300 : 1e-30));
  const half = Math.ceil(n / 2);
  const left = gramSchmidt(x.slice(null, [0, half]));
  const rest = x.slice(null, [half, n]);
  const right = gramSchmidt(rest.sub(left.matmul(left.transpose().matmul(rest))));
  return x.engine.concat([left, right], 1);
}
