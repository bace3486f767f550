import { castNumber, childrenOf, type Expr, scalarOp } from "@gradus/core";
import { operandOf, operationOf } from "./operations.js";

/**
 * Expressions as the emitter wants them: equal ones are one object, wherever they were built, and every operation is one
 * that has text in WGSL.
 */
export class Lowering {
  private readonly done = new Map<Expr, Expr>();
  private readonly unique = new Map<string, Expr>();
  private readonly ids = new Map<Expr, number>();

  lower(e: Expr): Expr {
    const known = this.done.get(e);
    if (known !== undefined) return known;
    const children = childrenOf(e).map((child) => this.lower(child));
    const expand =
      e.kind === "op" && operationOf(e.op, operandOf(e)) === undefined ? scalarOp(e.op)?.expand : undefined;
    const result = expand === undefined ? this.intern(e, children) : this.lower(expand(...children));
    this.done.set(e, result);
    return result;
  }

  private intern(e: Expr, children: readonly Expr[]): Expr {
    const key = `${describe(e)} ${children.map((child) => this.ids.get(child)).join()}`;
    const known = this.unique.get(key);
    if (known !== undefined) return known;
    const made = withChildren(e, children);
    this.unique.set(key, made);
    this.ids.set(made, this.ids.size);
    this.done.set(made, made);
    return made;
  }
}

/** What tells an expression from others with the same children. */
function describe(e: Expr): string {
  const number = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
  switch (e.kind) {
    case "const":
      return `const ${e.dtype} ${number(e.value)}`;
    case "axis":
    case "size":
      return `${e.kind} ${e.axis}`;
    case "param":
    case "stage":
      return `${e.kind} ${e.index}`;
    case "load":
      return `load ${e.buffer} ${e.guard === undefined ? "" : number(e.fill ?? 0)}`;
    case "op":
      return `op ${e.op} ${e.dtype}`;
    default:
      return `${e.kind} ${e.dtype}`;
  }
}

function withChildren(e: Expr, children: readonly Expr[]): Expr {
  const [first, second] = children as [Expr, Expr | undefined];
  if (e.kind === "op") return { ...e, args: children };
  if (e.kind === "cast") return { ...e, value: first };
  if (e.kind !== "load") return e;
  return second === undefined
    ? { ...e, index: first }
    : { ...e, index: first, guard: second, fill: castNumber(e.fill ?? 0, e.dtype) };
}
