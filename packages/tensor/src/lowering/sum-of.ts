import type { Expr } from "@gradus/core";

/** A coordinate as a sum of multiples: of loop axes, or of other expressions that are no such sums. */
export interface Sum {
  readonly constant: number;
  readonly terms: readonly Term[];
}

export interface Term {
  readonly of: Expr;
  readonly factor: number;
}

/** `e` as a sum of multiples. */
export function sumOf(e: Expr): Sum {
  if (e.kind === "const") return { constant: e.value, terms: [] };
  if (e.kind === "op" && e.dtype === "i32") {
    const [left, right] = e.args as [Expr, Expr];
    if (e.op === "add" || e.op === "sub") {
      return plus(sumOf(left), times(sumOf(right), e.op === "add" ? 1 : -1));
    }
    if (e.op === "mul" && left.kind === "const") return times(sumOf(right), left.value);
    if (e.op === "mul" && right.kind === "const") return times(sumOf(left), right.value);
  }
  return { constant: 0, terms: [{ of: e, factor: 1 }] };
}

export function plus(a: Sum, b: Sum): Sum {
  const terms = [...a.terms];
  for (const term of b.terms) {
    const at = terms.findIndex(({ of }) => sameLeaf(of, term.of));
    if (at < 0) terms.push(term);
    else terms[at] = { of: term.of, factor: (terms[at] as Term).factor + term.factor };
  }
  return { constant: a.constant + b.constant, terms: terms.filter(({ factor }) => factor !== 0) };
}

function times({ constant, terms }: Sum, factor: number): Sum {
  return {
    constant: constant * factor,
    terms: factor === 0 ? [] : terms.map((term) => ({ ...term, factor: term.factor * factor })),
  };
}

function sameLeaf(a: Expr, b: Expr): boolean {
  return a === b || (a.kind === "axis" && b.kind === "axis" && a.axis === b.axis);
}
