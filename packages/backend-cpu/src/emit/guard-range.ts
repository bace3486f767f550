import { affineIn, calculus as c, dependsOnAxis, type Expr } from "@gradus/core";

/** Where along an axis a guard holds: nowhere unless all `conditions` hold, then from all `from` on, up to all `to`. */
export interface GuardRange {
  readonly conditions: readonly Expr[];
  readonly from: readonly Expr[];
  readonly to: readonly Expr[];
}

/** Comparisons with their sides exchanged. */
const exchanged: Readonly<Record<string, string>> = { lt: "gt", gt: "lt", le: "ge", ge: "le" };

/** A guard as a range of an axis, if it is one: bounds of positions that move by one with the axis. */
export function guardRange(guard: Expr, axis: number): GuardRange | undefined {
  const conditions: Expr[] = [];
  const from: Expr[] = [];
  const to: Expr[] = [];
  for (const term of conjunction(guard)) {
    if (!dependsOnAxis(term, axis)) {
      conditions.push(term);
      continue;
    }
    if (term.kind !== "op" || !Object.hasOwn(exchanged, term.op)) return undefined;
    const [left, right] = term.args as [Expr, Expr];
    const isLeft = dependsOnAxis(left, axis);
    const [position, bound] = isLeft ? [left, right] : [right, left];
    const affine = position.dtype === "i32" ? affineIn(position, axis) : undefined;
    if (dependsOnAxis(bound, axis) || affine?.stride.kind !== "const" || affine.stride.value !== 1) {
      return undefined;
    }
    const edge = c.sub(bound, affine.base);
    const op = isLeft ? term.op : exchanged[term.op];
    if (op === "ge") from.push(edge);
    else if (op === "gt") from.push(c.add(edge, 1));
    else if (op === "lt") to.push(edge);
    else to.push(c.add(edge, 1));
  }
  return { conditions, from, to };
}

function conjunction(e: Expr): Expr[] {
  return e.kind === "op" && e.op === "logicalAnd" ? e.args.flatMap(conjunction) : [e];
}
