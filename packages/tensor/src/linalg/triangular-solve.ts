import {
  type Aval,
  fail,
  formatShape,
  hostTriangularSolve,
  type Op,
  promote,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { triangle } from "../ops/triangle.js";
import { batchedAlike } from "./batches.js";
import { hostOp, matrices } from "./host-op.js";

export interface TriangularSolveOptions {
  /** Which triangle of A is read. Default the lower one. */
  readonly upper?: boolean;
  /** Whether the diagonal counts as ones. Default false. */
  readonly unitriangular?: boolean;
  /** `A X = B`, or `X A = B` with false. Default true. */
  readonly left?: boolean;
}

interface Attrs {
  readonly upper: boolean;
  readonly unit: boolean;
}

/**
 * X with `A X = B` for triangular matrices A, batches broadcast. A zero on the diagonal gives infinities.
 *
 * @throws `shape-mismatch` if the sizes do not fit.
 *
 * Source: PyTorch's `linalg.solve_triangular`, where `upper` has no default.
 *
 * @example
 * ```ts
 * import { tensor, triangularSolve } from "@gradus/tensor";
 * const a = tensor([[2, 0], [1, 1]]);
 * console.log(triangularSolve(a, tensor([[4], [5]])).flatten()); // → Tensor f32[2] [2, 3]
 * ```
 */
export function triangularSolve(a: Tensor, b: Tensor, options: TriangularSolveOptions = {}): Tensor {
  const { upper = false, unitriangular = false, left = true } = options;
  if (!left) {
    const turned = { upper: !upper, unitriangular };
    return triangularSolve(a.transpose(), b.transpose(), turned).transpose();
  }
  const dtype = promote(a.dtype, b.dtype);
  const matrix = matrices("triangularSolve", a.cast(dtype));
  const right = matrices("triangularSolve", b.cast(dtype), "any");
  if (matrix.shape.at(-1) !== right.shape.at(-2)) {
    fail(
      "shape-mismatch",
      `triangularSolve: ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit: both need the same number of rows`,
    );
  }
  return applyOne(solveOp(), batchedAlike("triangularSolve", matrix, right), { upper, unit: unitriangular });
}

function solveOp(): Op<Attrs> {
  return hostOp<Attrs>({
    name: "triangularSolve",
    shapes: ([, b]) => [(b as Aval).shape],
    sizes: ([, b]) => (b as Aval).shape.slice(-2),
    host: ({ upper, unit }) => hostTriangularSolve(upper, unit),
    variant: ({ upper, unit }) => `${upper} ${unit}`,
    vjp({ cotangents: [dy], inputs: [a], outputs: [x], attrs: { upper, unit }, needs }) {
      const turned = { upper: !upper, unitriangular: unit };
      const right = triangularSolve((a as Tensor).transpose(), dy as Tensor, turned);
      if (needs[0] !== true) return [undefined, right];
      const whole = right.matmul((x as Tensor).transpose()).neg();
      const edge = unit ? 1 : 0;
      return [triangle(whole, upper ? "upper" : "lower", upper ? edge : -edge), right];
    },
  });
}
