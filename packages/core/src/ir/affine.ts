import * as c from "./calculus.js";
import { constant, type Expr, postOrder } from "./expr.js";

/** An index as `base + stride * axis`, neither of which depends on that axis. */
export interface AffineIndex {
  readonly base: Expr;
  readonly stride: Expr;
}

/**
 * `index` as an affine function of one loop axis, or undefined where it is not one (a division, a load). This is how an
 * emitter finds the loads that it may vectorise, and the strides of a matrix product.
 */
export function affineIn(index: Expr, axis: number): AffineIndex | undefined {
  const zero = constant(0, "i32");
  if (index.kind === "axis" && index.axis === axis) return { base: zero, stride: constant(1, "i32") };
  if (!dependsOnAxis(index, axis)) return { base: index, stride: zero };
  if (index.kind !== "op") return undefined;
  const [left, right] = index.args as [Expr, Expr];
  switch (index.op) {
    case "add":
    case "sub": {
      const a = affineIn(left, axis);
      const b = affineIn(right, axis);
      if (a === undefined || b === undefined) return undefined;
      const join = index.op === "add" ? c.add : c.sub;
      return { base: join(a.base, b.base), stride: join(a.stride, b.stride) };
    }
    case "mul": {
      const [varying, factor] = dependsOnAxis(left, axis) ? [left, right] : [right, left];
      if (dependsOnAxis(factor, axis)) return undefined;
      const v = affineIn(varying, axis);
      return v === undefined ? undefined : { base: c.mul(v.base, factor), stride: c.mul(v.stride, factor) };
    }
    default:
      return undefined;
  }
}

/** Whether `expr` changes along a loop axis. */
export function dependsOnAxis(expr: Expr, axis: number): boolean {
  return postOrder([expr]).some((e) => e.kind === "axis" && e.axis === axis);
}
