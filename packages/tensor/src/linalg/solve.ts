import {
  type Aval,
  fail,
  formatShape,
  hostSolve,
  type Op,
  promote,
  sameShape,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { batchedAlike } from "./batches.js";
import { checked, hostOp, matrices } from "./host-op.js";

/**
 * X with `A X = B` for square matrices A, batches broadcast. B is a matrix, or a vector for each matrix: one axis, or A's
 * shape without the last.
 *
 * @throws `shape-mismatch` if the sizes do not fit; `invalid-argument` for a singular matrix (on a device that cannot be read
 * without waiting, and inside `compile`, at the next read).
 *
 * Source: PyTorch's and NumPy's `linalg.solve`.
 *
 * @example
 * ```ts
 * import { solve, tensor } from "@gradus/tensor";
 * console.log(solve(tensor([[2, 0], [0, 4]]), tensor([6, 8]))); // → Tensor f32[2] [3, 2]
 * ```
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  return solved("solve", a, b);
}

/** {@link solve} under the name of what was called. */
export function solved(name: string, a: Tensor, b: Tensor): Tensor {
  const dtype = promote(a.dtype, b.dtype);
  const matrix = matrices(name, a.cast(dtype));
  const isVector = b.ndim === 1 || (a.ndim - 1 === b.ndim && sameShape(b.shape, a.shape.slice(0, -1)));
  const given = isVector ? b.unsqueeze(-1) : b;
  const right = matrices(name, given.cast(dtype), "any");
  if (matrix.shape.at(-1) !== right.shape.at(-2)) {
    fail(
      "shape-mismatch",
      `${name}: ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit: both need the same number of rows`,
    );
  }
  const x = checked(name, applyOne(solveOp(), batchedAlike(name, matrix, right), { name }));
  return isVector ? x.squeeze(-1) : x;
}

function solveOp(): Op<{ readonly name: string }> {
  return hostOp<{ readonly name: string }>({
    name: "solve",
    shapes: ([, b]) => [(b as Aval).shape],
    sizes: ([, b]) => (b as Aval).shape.slice(-2),
    host:
      ({ name }) =>
      (buffers, sizes) =>
        hostSolve(buffers, sizes)?.replace("solve", name),
    variant: ({ name }) => name,
    vjp({ cotangents: [dy], inputs: [a], outputs: [x], attrs: { name }, needs }) {
      const right = applyOne(solveOp(), [(a as Tensor).transpose(), dy as Tensor], { name });
      return [needs[0] === true ? right.matmul((x as Tensor).transpose()).neg() : undefined, right];
    },
  });
}
