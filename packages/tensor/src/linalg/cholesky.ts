import { type Aval, hostCholesky, type Tensor } from "@gradus/core";
import { applyOne } from "../apply.js";
import { diagonalMatrix, diagonalOf } from "../ops/diagonal.js";
import { triangle } from "../ops/triangle.js";
import { checked, hostOp, matrices } from "./host-op.js";
import { triangularSolve } from "./triangular-solve.js";

/**
 * The lower triangular L with `L L^T = A`, for each symmetric positive definite matrix in the last two axes. The lower
 * triangle is read; the gradient is symmetric.
 *
 * @throws `shape-mismatch` for other than square matrices; `invalid-argument` for one that is not positive definite (on a
 * device that cannot be read without waiting, and inside `compile`, at the next read).
 *
 * Source: PyTorch's and NumPy's `linalg.cholesky`; Murray, "Differentiation of the Cholesky decomposition", 2016.
 *
 * @example
 * ```ts
 * import { cholesky, tensor } from "@gradus/tensor";
 * console.log(cholesky(tensor([[4, 2], [2, 2]])).toArray()); // → [ [ 2, 0 ], [ 1, 1 ] ]
 * ```
 */
export function cholesky(x: Tensor): Tensor {
  const source = matrices("cholesky", x);
  return checked("cholesky", applyOne(choleskyOp(), [source], undefined));
}

function choleskyOp(): ReturnType<typeof hostOp<undefined>> {
  return hostOp<undefined>({
    name: "cholesky",
    shapes: ([x]) => [(x as Aval).shape],
    sizes: ([x]) => [(x as Aval).shape.at(-1) as number],
    host: () => hostCholesky,
    vjp({ cotangents: [dy], outputs: [y] }) {
      const lower = y as Tensor;
      const whole = lower.transpose().matmul(dy as Tensor);
      // The lower triangle with half of the diagonal.
      const half = triangle(whole, "lower", 0).sub(diagonalMatrix(diagonalOf(whole, 0).mul(0.5), 0));
      const up = lower.transpose();
      const left = triangularSolve(up, half, { upper: true });
      const both = triangularSolve(up, left.transpose(), { upper: true }).transpose();
      return [both.add(both.transpose()).mul(0.5)];
    },
  });
}
