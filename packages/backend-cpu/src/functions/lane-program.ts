import type { Expr } from "@gradus/core";

/** What a function may do besides computing expressions. No lane depends on another: only whether work is done at all does. */
export interface LaneSteps {
  /** In lanes where `mask` holds what `values` gives, which is computed only if there are any; else `otherwise`. */
  choose(mask: Expr, values: () => readonly Expr[], otherwise: readonly Expr[]): Expr[];
  /** The state after all steps: in each lane, as long as `more` holds there. */
  loop(
    start: readonly Expr[],
    more: (state: readonly Expr[]) => Expr,
    next: (state: readonly Expr[]) => readonly Expr[],
  ): Expr[];
}

/** A function as it is written, of operands that are lanes. */
export type LaneProgram = (steps: LaneSteps, ...operands: Expr[]) => Expr;

/** Another function of the module. */
export function called(name: string, ...args: Expr[]): Expr {
  return { kind: "op", op: name, args, dtype: (args[0] as Expr).dtype };
}
