import type { Tensor } from "@gradus/core";

export interface NewtonSchulzOptions {
  /** The coefficients of `a X + b (X X^T) X + c (X X^T)^2 X`. Default 3.4445, -4.7750, 2.0315: fast, and near 1 only. */
  readonly coefficients?: readonly [a: number, b: number, c: number];
  /** Iterations. Default 5. */
  readonly steps?: number;
  /** The least norm that is divided by. Default 1e-7. */
  readonly eps?: number;
}

/**
 * A matrix with its singular vectors kept and its singular values moved near 1: approximately `U V^T` of `U S V^T`. Matrix
 * products alone, so it is compiled like any other part of a step. With the default coefficients singular values end
 * between about 0.7 and 1.2; `[1.875, -1.25, 0.375]` converges to 1, in more steps.
 *
 * Source: PyTorch's `optim.Muon`; Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
 *
 * @example
 * ```ts
 * import { newtonSchulz } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const x = newtonSchulz(tensor([[3, 0], [0, -5]]), { coefficients: [1.875, -1.25, 0.375], steps: 12 });
 * console.log(x.flatten()); // → Tensor f32[4] [1, 0, 0, -1]
 * ```
 */
export function newtonSchulz(matrix: Tensor, options: NewtonSchulzOptions = {}): Tensor {
  const { coefficients = [3.4445, -4.775, 2.0315], steps = 5, eps = 1e-7 } = options;
  const [a, b, c] = coefficients;
  const [rows, columns] = matrix.shape as readonly [number, number];
  const tall = rows > columns;
  let x = tall ? matrix.transpose() : matrix;
  x = x.div(x.norm().maximum(eps));
  for (let i = 0; i < steps; i++) {
    const gram = x.matmul(x.transpose());
    const polynomial = gram.mul(b).add(gram.matmul(gram).mul(c));
    x = x.mul(a).add(polynomial.matmul(x));
  }
  return tall ? x.transpose() : x;
}
