import type { Rule, RuleContext, RuleState, Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { applyUpdates } from "./index.js";

export type Rows = readonly (readonly number[])[];

export interface Matrix {
  readonly w: Tensor;
}

/** A matrix in f64 as the only parameter. */
export function matrix(rows: Rows): Matrix {
  return { w: tensor(rows, { dtype: "f64" }) };
}

/** The parameter, and the one to evaluate with, after each gradient; compiled if asked to, told its variant or not. */
export function runMatrix(
  rule: Rule,
  start: Rows,
  gradients: readonly Rows[],
  how: {
    readonly compiled?: boolean;
    readonly told?: boolean;
    readonly context?: Partial<RuleContext<Matrix>>;
  } = {},
): { readonly params: Rows[]; readonly evaluated: Rows[]; readonly state: RuleState<Matrix> } {
  const step = (params: Matrix, state: RuleState<Matrix>, grads: Matrix, variant: string | undefined) => {
    const context = { params, ...how.context, ...(variant !== undefined && { variant }) };
    const next = rule.update(grads, state, context);
    return { params: applyUpdates(params, next.updates), state: next.state };
  };
  const run = how.compiled ? compile(step, { donate: [0, 1] }) : step;
  let params = matrix(start);
  let state = rule.init(params);
  const seen = gradients.map((g) => {
    const variant = how.told ? rule.variant?.(state) : undefined;
    ({ params, state } = run(params, state, matrix(g), variant));
    const evaluated = rule.evalParams?.(params, state) ?? params;
    return [params.w.toArray() as Rows, evaluated.w.toArray() as Rows] as const;
  });
  return { params: seen.map(([p]) => p), evaluated: seen.map(([, e]) => e), state };
}

/** For `toEqual`: the same numbers within 1e-`digits`. */
export function near(rows: readonly Rows[], expected: (value: number) => unknown): unknown {
  return rows.map((one) => one.map((row) => row.map(expected)));
}

export function times(x: Rows, y: Rows): number[][] {
  return x.map((row) => (y[0] ?? []).map((_, j) => row.reduce((sum, a, k) => sum + a * (y[k]?.[j] ?? 0), 0)));
}

export function transposed(x: Rows): number[][] {
  return (x[0] ?? []).map((_, j) => x.map((row) => row[j] as number));
}

/** Elements of one or two matrices, one by one. */
export function each(x: Rows, f: (a: number, b: number) => number, y: Rows = x): number[][] {
  return x.map((row, i) => row.map((a, j) => f(a, y[i]?.[j] as number)));
}

export function frobenius(x: Rows): number {
  return Math.hypot(...x.flat());
}
