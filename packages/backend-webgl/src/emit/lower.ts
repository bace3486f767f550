import { childrenOf, type Expr, scalarOp } from "@gradus/core";
import { operandOf, operationOf } from "./operations.js";

/** Expressions as the emitter wants them: every operation is one that has text, if it can be said with such. */
export class Lowering {
  private readonly done = new Map<Expr, Expr>();

  lower(e: Expr): Expr {
    const known = this.done.get(e);
    if (known !== undefined) return known;
    const children = childrenOf(e).map((child) => this.lower(child));
    const expand =
      e.kind === "op" && operationOf(e.op, operandOf(e)) === undefined ? scalarOp(e.op)?.expand : undefined;
    const result = expand === undefined ? withChildren(e, children) : this.lower(expand(...children));
    this.done.set(e, result);
    this.done.set(result, result);
    return result;
  }
}

function withChildren(e: Expr, children: readonly Expr[]): Expr {
  const [first, second] = children as [Expr, Expr | undefined];
  if (e.kind === "op") return { ...e, args: children };
  if (e.kind === "cast") return { ...e, value: first };
  if (e.kind !== "load") return e;
  return second === undefined ? { ...e, index: first } : { ...e, index: first, guard: second };
}
