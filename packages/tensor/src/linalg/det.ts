import { type Aval, hostCofactor, hostDet, type Op, type Tensor } from "@gradus/core";
import { applyOne } from "../apply.js";
import { hostOp, matrices } from "./host-op.js";
import { inv } from "./inv.js";

/**
 * The determinant of each square matrix in the last two axes. Its gradient is right for singular matrices too; the second one
 * needs the inverse.
 *
 * @throws `shape-mismatch` for other than square matrices.
 *
 * Source: PyTorch's and NumPy's `linalg.det`.
 *
 * @example
 * ```ts
 * import { det, tensor } from "@gradus/tensor";
 * console.log(det(tensor([[1, 2], [3, 4]])).item()); // → -2
 * ```
 */
export function det(x: Tensor): Tensor {
  return applyOne(detOp(), [matrices("det", x)], undefined);
}

function detOp(): Op<undefined> {
  return hostOp<undefined>({
    name: "det",
    shapes: ([x]) => [(x as Aval).shape.slice(0, -2)],
    sizes: ([x]) => [(x as Aval).shape.at(-1) as number],
    host: () => hostDet,
    vjp: ({ cotangents: [dy], inputs: [x] }) => [
      applyOne(cofactorOp(), [x as Tensor], undefined).mul(perMatrix(dy as Tensor)),
    ],
  });
}

function cofactorOp(): Op<undefined> {
  return hostOp<undefined>({
    name: "cofactor",
    shapes: ([x]) => [(x as Aval).shape],
    sizes: ([x]) => [(x as Aval).shape.at(-1) as number],
    host: () => hostCofactor,
    // Of det(A) K with K = A^-T, whose differential is -K dA^T K.
    vjp({ cotangents: [dy], inputs: [x], outputs: [y] }) {
      const [g, cofactor] = [dy as Tensor, y as Tensor];
      const k = inv(x as Tensor).transpose();
      const along = g.mul(k).sum([-2, -1], { keepdims: true });
      return [cofactor.mul(along).sub(cofactor.matmul(g.transpose()).matmul(k))];
    },
  });
}

/** One number a matrix, as it broadcasts with them. */
export function perMatrix(x: Tensor): Tensor {
  return x.unsqueeze(-1).unsqueeze(-1);
}
