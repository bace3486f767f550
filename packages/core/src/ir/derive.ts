import { computeDType, isFloat } from "../dtype.js";
import * as c from "./calculus.js";
import { cast, constant, type Expr, input, postOrder, substitute } from "./expr.js";
import { scalarOp } from "./scalar-ops.js";

/**
 * The vector-Jacobian product of an elementwise expression, as expressions.
 *
 * `expr` reads operands `input(0) .. input(operands - 1)`. The results read the same operands, then the result's
 * cotangent as `input(operands)` and the result itself as `input(operands + 1)`, so that `exp` and `tanh` need not be
 * computed again. An operand without a gradient (an index, a condition, a rounded value) gets `undefined`.
 *
 * Reverse mode over the expression, one row of the scalar table per node. The results are elementwise expressions
 * themselves, which gives derivatives of any order.
 */
export function gradientExprs(expr: Expr, operands: number): readonly (Expr | undefined)[] {
  const made = cache.get(expr);
  if (made !== undefined) return made;
  const result = input(operands + 1, expr.dtype);
  // What is rounded to f16 last is a result too, if one that was f32 before.
  const unrounded = expr.kind === "cast" && expr.dtype === "f16" ? expr.value : undefined;
  const known = (e: Expr): Expr | undefined =>
    e === expr ? result : e === unrounded && e.kind === "op" ? cast(result, e.dtype) : undefined;
  // Adjoints are computed in f32 where their values are f16, and rounded in the end.
  const adjoints = new Map<Expr, Expr>();
  if (isFloat(expr.dtype)) adjoints.set(expr, cast(input(operands, expr.dtype), computeDType(expr.dtype)));
  const nodes = postOrder([expr]);
  for (const node of nodes.reverse()) {
    const dy = adjoints.get(node);
    if (dy === undefined) continue;
    for (const [child, share] of contributions(node, dy)) {
      if (share === undefined || !isFloat(child.dtype)) continue;
      const before = adjoints.get(child);
      adjoints.set(child, before === undefined ? share : c.add(before, share));
    }
  }
  const gradients: (Expr | undefined)[] = new Array<Expr | undefined>(operands).fill(undefined);
  for (const node of nodes) {
    if (node.kind !== "input") continue;
    const adjoint = adjoints.get(node);
    if (adjoint === undefined) continue;
    const share = expr.kind === "input" ? adjoint : substitute(adjoint, known);
    const before = gradients[node.index];
    gradients[node.index] = before === undefined ? share : c.add(before, share);
  }
  for (const node of nodes) {
    if (node.kind === "input" && gradients[node.index] !== undefined)
      gradients[node.index] = cast(gradients[node.index] as Expr, node.dtype);
  }
  cache.set(expr, gradients);
  return gradients;
}

const cache = new WeakMap<Expr, readonly (Expr | undefined)[]>();

function contributions(node: Expr, dy: Expr): readonly (readonly [Expr, Expr | undefined])[] {
  if (node.kind === "cast")
    return [[node.value, isFloat(node.value.dtype) ? cast(dy, computeDType(node.value.dtype)) : undefined]];
  if (node.kind !== "op") return [];
  const shares = scalarOp(node.op)?.gradient?.(dy, node.args, node);
  if (shares === undefined) {
    // A row without a derivative, such as floor: zero almost everywhere, and a zero, not an error, as in PyTorch.
    return node.args.map((arg) => [arg, isFloat(arg.dtype) ? constant(0, arg.dtype) : undefined] as const);
  }
  return node.args.map((arg, i) => [arg, shares[i]] as const);
}
