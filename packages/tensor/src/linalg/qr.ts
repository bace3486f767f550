import { type Aval, fail, formatShape, hostQr, type Op, type Tensor } from "@gradus/core";
import { apply } from "../apply.js";
import { diagonalMatrix, diagonalOf } from "../ops/diagonal.js";
import { triangle } from "../ops/triangle.js";
import { hostOp, matrices } from "./host-op.js";
import { triangularSolve } from "./triangular-solve.js";

export interface QR {
  /** Orthonormal columns: `[..., m, k]`. */
  readonly q: Tensor;
  /** Upper triangular: `[..., k, n]`. */
  readonly r: Tensor;
}

interface Attrs {
  readonly complete: boolean;
}

/**
 * `Q R = A` for each matrix `[m, n]` in the last two axes: `mode` "reduced" (k = min(m, n), the default) or "complete" (k = m).
 * The signs are LAPACK's: a diagonal element of R is negative where the column it comes from starts positive.
 *
 * @throws `shape-mismatch` for fewer than two axes; when differentiated, `not-differentiable` for a complete Q with m > n, whose
 * last columns are not determined.
 *
 * Source: PyTorch's and NumPy's `linalg.qr`.
 *
 * @example
 * ```ts
 * import { qr, tensor } from "@gradus/tensor";
 * const { q, r } = qr(tensor([[0, 2], [1, 3]]));
 * console.log(q.matmul(r).toArray()); // → [ [ 0, 2 ], [ 1, 3 ] ]
 * ```
 */
export function qr(x: Tensor, options: { readonly mode?: "reduced" | "complete" } = {}): QR {
  const { mode = "reduced" } = options;
  if (mode !== "reduced" && mode !== "complete")
    fail("invalid-argument", `qr: mode must be "reduced" or "complete", got ${String(mode)}`);
  const [q, r] = apply(qrOp(), [matrices("qr", x, "any")], { complete: mode === "complete" }) as unknown as [
    Tensor,
    Tensor,
  ];
  return { q, r };
}

function sizesOf({ shape }: Aval, { complete }: Attrs): [m: number, n: number, k: number] {
  const [m, n] = shape.slice(-2) as [number, number];
  return [m, n, complete ? m : Math.min(m, n)];
}

function qrOp(): Op<Attrs> {
  return hostOp<Attrs>({
    name: "qr",
    shapes([x], attrs) {
      const [m, n, k] = sizesOf(x as Aval, attrs);
      const batch = (x as Aval).shape.slice(0, -2);
      return [
        [...batch, m, k],
        [...batch, k, n],
      ];
    },
    sizes: ([x], attrs) => sizesOf(x as Aval, attrs),
    host: () => hostQr,
    vjp({ cotangents: [dq, dr], inputs: [x], outputs, attrs }) {
      const source = x as Tensor;
      const [q, r] = outputs as [Tensor, Tensor];
      const [m, n] = sizesOf(source, attrs);
      if (attrs.complete && m > n) {
        fail(
          "not-differentiable",
          `qr: a complete Q of ${formatShape(source.shape)} has columns that A does not determine. Use mode "reduced"`,
        );
      }
      if (m >= n) return [squareBack(q, r, dq, dr)];
      // A = [X | Y] with X square: R = [U | Q^T Y].
      const whole = source.shape.slice(0, -1).map(() => null);
      const [u, y] = [r.slice(...whole, [0, m]), source.slice(...whole, [m])];
      const [du, dv] = [dr?.slice(...whole, [0, m]), dr?.slice(...whole, [m])];
      const through = dv === undefined ? undefined : y.matmul(dv.transpose());
      const dqAll = dq === undefined ? through : through === undefined ? dq : dq.add(through);
      const dx = squareBack(q, u, dqAll, du);
      const dy = dv === undefined ? y.zerosLike() : q.matmul(dv);
      return [source.engine.concat([dx, dy], source.ndim - 1)];
    },
  });
}

/** The cotangent of A = Q R with m >= n: `(dQ + Q symmetric(triu(dR R^T - Q^T dQ))) R^-T`. */
function squareBack(q: Tensor, r: Tensor, dq: Tensor | undefined, dr: Tensor | undefined): Tensor {
  const fromR = dr?.matmul(r.transpose());
  const fromQ = dq === undefined ? undefined : q.transpose().matmul(dq).neg();
  const inner = fromR === undefined ? (fromQ as Tensor) : fromQ === undefined ? fromR : fromR.add(fromQ);
  const upper = triangle(inner, "upper", 0);
  const symmetric = upper.add(upper.transpose()).sub(diagonalMatrix(diagonalOf(inner, 0), 0));
  const sum = q.matmul(symmetric);
  return triangularSolve(r.transpose(), dq === undefined ? sum : sum.add(dq), { left: false });
}
