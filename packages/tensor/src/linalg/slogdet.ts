import { type Aval, hostSlogdet, type Op, type Tensor } from "@gradus/core";
import { apply } from "../apply.js";
import { perMatrix } from "./det.js";
import { hostOp, matrices } from "./host-op.js";
import { inv } from "./inv.js";

export interface SignAndLog {
  /** -1, 0 or 1; without gradient. */
  readonly sign: Tensor;
  /** `log |det|`; -Infinity where the matrix is singular. */
  readonly logabsdet: Tensor;
}

/**
 * The sign of the determinant of each square matrix in the last two axes, and the logarithm of its absolute value, which does
 * not overflow.
 *
 * @throws `shape-mismatch` for other than square matrices; when differentiated, `invalid-argument` for a singular one.
 *
 * Source: PyTorch's and NumPy's `linalg.slogdet`.
 *
 * @example
 * ```ts
 * import { slogdet, tensor } from "@gradus/tensor";
 * const { sign, logabsdet } = slogdet(tensor([[1, 0], [0, -1]]));
 * console.log(sign.item(), logabsdet.item()); // → -1 0
 * ```
 */
export function slogdet(x: Tensor): SignAndLog {
  const [sign, logabsdet] = apply(slogdetOp(), [matrices("slogdet", x)], undefined) as unknown as [
    Tensor,
    Tensor,
  ];
  return { sign, logabsdet };
}

function slogdetOp(): Op<undefined> {
  return hostOp<undefined>({
    name: "slogdet",
    shapes: ([x]) => [(x as Aval).shape.slice(0, -2), (x as Aval).shape.slice(0, -2)],
    sizes: ([x]) => [(x as Aval).shape.at(-1) as number],
    host: () => hostSlogdet,
    vjp: ({ cotangents: [, dlog], inputs: [x] }) => [
      dlog === undefined
        ? (x as Tensor).zerosLike()
        : inv(x as Tensor)
            .transpose()
            .mul(perMatrix(dlog)),
    ],
  });
}
