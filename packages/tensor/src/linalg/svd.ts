import { type Aval, fail, hostSvd, type Op, type Tensor } from "@gradus/core";
import { apply } from "../apply.js";
import { diagonalMatrix } from "../ops/diagonal.js";
import { overGaps } from "./eigh.js";
import { hostOp, matrices } from "./host-op.js";
import { qr } from "./qr.js";

export interface SVD {
  /** `[..., m, k]`, or `[..., m, m]`. */
  readonly u: Tensor;
  /** Descending: `[..., k]`. */
  readonly s: Tensor;
  /** `V^T`: `[..., k, n]`, or `[..., n, n]`. */
  readonly vh: Tensor;
}

/**
 * `U diag(S) V^T = A` for each matrix `[m, n]` in the last two axes, k = min(m, n). By default U and V are square, completed by
 * vectors that A does not determine and that have no gradient; `fullMatrices: false` leaves them out. The greatest element of
 * each column of U is positive.
 *
 * The gradient holds for what does not depend on the vectors' signs, nor, where singular values are equal, on the choice of
 * vectors.
 *
 * @throws `shape-mismatch` for fewer than two axes.
 *
 * Source: PyTorch's and NumPy's `linalg.svd`.
 *
 * @example
 * ```ts
 * import { svd, tensor } from "@gradus/tensor";
 * console.log(svd(tensor([[0, 2], [1, 0], [0, 0]])).s); // → Tensor f32[2] [2, 1]
 * ```
 */
export function svd(x: Tensor, options: { readonly fullMatrices?: boolean } = {}): SVD {
  const { fullMatrices = true } = options;
  if (typeof fullMatrices !== "boolean")
    fail("invalid-argument", `svd: fullMatrices must be true or false, got ${String(fullMatrices)}`);
  const source = matrices("svd", x, "any");
  const [u, s, vh] = apply(svdOp(), [source], undefined) as unknown as [Tensor, Tensor, Tensor];
  const [m, n] = source.shape.slice(-2) as [number, number];
  if (!fullMatrices || m === n) return { u, s, vh };
  if (m > n) return { u: completed(u), s, vh };
  return { u, s, vh: completed(vh.transpose()).transpose() };
}

/** Orthonormal columns, with others that make them square. */
function completed(u: Tensor): Tensor {
  const [, k] = u.shape.slice(-2) as [number, number];
  const others = qr(u.detach(), { mode: "complete" }).q.detach();
  return u.engine.concat([u, others.slice(...u.shape.slice(0, -1).map(() => null), [k])], u.ndim - 1);
}

function svdOp(): Op<undefined> {
  return hostOp<undefined>({
    name: "svd",
    shapes([x]) {
      const { shape } = x as Aval;
      const [m, n] = shape.slice(-2) as [number, number];
      const [batch, k] = [shape.slice(0, -2), Math.min(m, n)];
      return [
        [...batch, m, k],
        [...batch, k],
        [...batch, k, n],
      ];
    },
    sizes: ([x]) => (x as Aval).shape.slice(-2),
    host: () => hostSvd,
    vjp({ cotangents: [du, ds, dvh], outputs }) {
      const [u, s, vh] = outputs as [Tensor, Tensor, Tensor];
      const [ut, v, dv] = [u.transpose(), vh.transpose(), dvh?.transpose()];
      const [column, row] = [s.unsqueeze(-1), s.unsqueeze(-2)];
      const gaps = row.sub(column).mul(row.add(column));
      const skew = (x: Tensor): Tensor => overGaps(x.sub(x.transpose()), gaps);
      const terms: Tensor[] = [];
      if (ds !== undefined) terms.push(diagonalMatrix(ds, 0));
      if (du !== undefined) terms.push(skew(ut.matmul(du)).mul(row));
      if (dv !== undefined) terms.push(skew(vh.matmul(dv)).mul(column));
      let result = u.matmul(terms.reduce((a, b) => a.add(b))).matmul(vh);
      const [m, k, n] = [u.shape.at(-2) as number, s.shape.at(-1) as number, vh.shape.at(-1) as number];
      // What leaves the space that the vectors span.
      if (du !== undefined && m > k) {
        const scaled = du.div(row);
        result = result.add(scaled.sub(u.matmul(ut.matmul(scaled))).matmul(vh));
      }
      if (dv !== undefined && n > k) {
        const scaled = dv.div(row);
        result = result.add(u.matmul(scaled.sub(v.matmul(vh.matmul(scaled))).transpose()));
      }
      return [result];
    },
  });
}
