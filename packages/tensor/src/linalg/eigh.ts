import { type Aval, hostEigh, type Op, type Tensor } from "@gradus/core";
import { apply } from "../apply.js";
import { diagonalMatrix } from "../ops/diagonal.js";
import { hostOp, matrices } from "./host-op.js";

export interface Eigen {
  /** Ascending: `[..., n]`. */
  readonly values: Tensor;
  /** In the columns: `[..., n, n]`. */
  readonly vectors: Tensor;
}

/**
 * The eigenvalues and eigenvectors of each symmetric matrix in the last two axes, of which the lower triangle is read. The
 * greatest element of each vector is positive.
 *
 * The gradient holds for what does not depend on the vectors' signs, nor, where eigenvalues are equal, on the choice of vectors.
 *
 * @throws `shape-mismatch` for other than square matrices.
 *
 * Source: PyTorch's and NumPy's `linalg.eigh`.
 *
 * @example
 * ```ts
 * import { eigh, tensor } from "@gradus/tensor";
 * console.log(eigh(tensor([[2, 0], [0, 1]])).values); // → Tensor f32[2] [1, 2]
 * ```
 */
export function eigh(x: Tensor): Eigen {
  const [values, vectors] = apply(eighOp(), [matrices("eigh", x)], undefined) as unknown as [Tensor, Tensor];
  return { values, vectors };
}

function eighOp(): Op<undefined> {
  return hostOp<undefined>({
    name: "eigh",
    shapes: ([x]) => [(x as Aval).shape.slice(0, -1), (x as Aval).shape],
    sizes: ([x]) => [(x as Aval).shape.at(-1) as number],
    host: () => hostEigh,
    vjp({ cotangents: [dvalues, dvectors], outputs }) {
      const [values, vectors] = outputs as [Tensor, Tensor];
      const terms: Tensor[] = [];
      if (dvalues !== undefined) terms.push(diagonalMatrix(dvalues, 0));
      if (dvectors !== undefined) {
        const gaps = values.unsqueeze(-2).sub(values.unsqueeze(-1));
        terms.push(overGaps(vectors.transpose().matmul(dvectors), gaps));
      }
      const inner = terms.reduce((a, b) => a.add(b));
      return [vectors.matmul(inner).matmul(vectors.transpose())];
    },
  });
}

/** `x / gaps`, and 0 where there is no gap. */
export function overGaps(x: Tensor, gaps: Tensor): Tensor {
  const none = gaps.eq(0);
  return none.where(0, x.div(none.where(1, gaps)));
}
