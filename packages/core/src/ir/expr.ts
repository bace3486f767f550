import { castNumber, type DType, isFloat } from "../dtype.js";

/**
 * An expression of one element: the language of kernels.
 *
 * Expressions are immutable and shared: one object may occur in several places (a DAG), and whoever walks them
 * visits each object once. Only the `op` nodes name scalar operations; their meaning is in the scalar-op table.
 */
export type Expr =
  | { readonly kind: "const"; readonly value: number; readonly dtype: DType }
  /** The index along a loop axis of the kernel. */
  | { readonly kind: "axis"; readonly axis: number; readonly dtype: "i32" }
  /** The run-time size of a loop axis. */
  | { readonly kind: "size"; readonly axis: number; readonly dtype: "i32" }
  /** A run-time number of the launch: a stride, an offset, a learning rate. */
  | { readonly kind: "param"; readonly index: number; readonly dtype: DType }
  /** The result of an earlier stage at this grid point; in a contraction's epilogue, the sum. */
  | { readonly kind: "stage"; readonly index: number; readonly dtype: DType }
  /** An element of an input buffer. Where `guard` is false nothing is read and the value is `fill`. */
  | {
      readonly kind: "load";
      readonly buffer: number;
      readonly index: Expr;
      readonly guard?: Expr;
      readonly fill?: number;
      readonly dtype: DType;
    }
  | { readonly kind: "op"; readonly op: string; readonly args: readonly Expr[]; readonly dtype: DType }
  /**
   * The value as another dtype. From f32 to f32: rounded as if it had been stored, which only a device that computes f32
   * in a wider type can tell from the value itself. To f16: rounded to the nearest binary16, ties to even, also where the
   * next thing is a cast back. Of f16 there are only loads, constants and casts: what is computed is f32.
   */
  | { readonly kind: "cast"; readonly value: Expr; readonly dtype: DType }
  /**
   * An element of the k-th operand of an operation, before it is known how the operand lies in memory: at the coordinates
   * `at`, one for each of its axes or, without them, at the grid point itself, broadcast. No kernel holds one: the
   * operation's lowering is turned into a kernel by replacing each by a load.
   */
  | {
      readonly kind: "input";
      readonly index: number;
      readonly at?: readonly Expr[];
      readonly guard?: Expr;
      readonly fill?: number;
      readonly dtype: DType;
    };

export type LoadExpr = Extract<Expr, { kind: "load" }>;
export type InputExpr = Extract<Expr, { kind: "input" }>;

export function constant(value: number, dtype: DType): Expr {
  return { kind: "const", value: castNumber(value, dtype), dtype };
}

export function axisIndex(axis: number): Expr {
  return { kind: "axis", axis, dtype: "i32" };
}

export function axisSize(axis: number): Expr {
  return { kind: "size", axis, dtype: "i32" };
}

export function param(index: number, dtype: DType): Expr {
  return { kind: "param", index, dtype };
}

export function stage(index: number, dtype: DType): Expr {
  return { kind: "stage", index, dtype };
}

export function input(index: number, dtype: DType): Expr {
  return { kind: "input", index, dtype };
}

/** An operand's element at given coordinates; where `guard` is false, `fill` instead. */
export function inputAt(index: number, dtype: DType, at: readonly Expr[], guard?: Expr, fill = 0): InputExpr {
  return guard === undefined
    ? { kind: "input", index, at, dtype }
    : { kind: "input", index, at, guard, fill, dtype };
}

export function load(buffer: number, dtype: DType, index: Expr, guard?: Expr, fill = 0): LoadExpr {
  return guard === undefined
    ? { kind: "load", buffer, index, dtype }
    : { kind: "load", buffer, index, guard, fill, dtype };
}

/** `value` as `dtype`: floats truncate to integers (saturating, NaN to 0), anything but 0 is true. */
export function cast(value: Expr, dtype: DType): Expr {
  if (value.dtype === dtype) return value;
  if (value.kind === "const") return constant(value.value, dtype);
  // From f16 to f32 and back: every value is there again. (The other way round it would be another one.)
  if (dtype === "f16" && value.kind === "cast" && value.value.dtype === "f16" && isFloat(value.dtype))
    return value.value;
  return { kind: "cast", value, dtype };
}

/** The expressions directly under `expr`. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "op":
      return expr.args;
    case "cast":
      return [expr.value];
    case "load":
      return expr.guard === undefined ? [expr.index] : [expr.index, expr.guard];
    case "input":
      return [...(expr.at ?? []), ...(expr.guard === undefined ? [] : [expr.guard])];
    default:
      return [];
  }
}

/** Every expression reachable from `roots`, each once, children before parents. */
export function postOrder(roots: readonly Expr[]): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    for (const child of childrenOf(expr)) visit(child);
    order.push(expr);
  };
  for (const root of roots) visit(root);
  return order;
}

/**
 * `expr` with every node for which `replace` returns an expression replaced by that, sharing kept. What is replaced is not
 * looked into.
 */
export function substitute(expr: Expr, replace: (node: Expr) => Expr | undefined): Expr {
  return substitution(replace)(expr);
}

/** {@link substitute} for several expressions: what they share stays shared. */
export function substitution(replace: (node: Expr) => Expr | undefined): (expr: Expr) => Expr {
  const done = new Map<Expr, Expr>();
  const visit = (e: Expr): Expr => {
    const known = done.get(e);
    if (known !== undefined) return known;
    const result = replace(e) ?? rebuild(e, visit);
    done.set(e, result);
    return result;
  };
  return visit;
}

function rebuild(e: Expr, visit: (e: Expr) => Expr): Expr {
  switch (e.kind) {
    case "op": {
      const args = e.args.map(visit);
      return args.every((arg, i) => arg === e.args[i]) ? e : { ...e, args };
    }
    case "cast": {
      const value = visit(e.value);
      return value === e.value ? e : { ...e, value };
    }
    case "load": {
      const index = visit(e.index);
      if (e.guard === undefined) return index === e.index ? e : { ...e, index };
      const guard = visit(e.guard);
      return index === e.index && guard === e.guard ? e : { ...e, index, guard };
    }
    case "input": {
      if (e.at === undefined) return e;
      const at = e.at.map(visit);
      return e.guard === undefined ? { ...e, at } : { ...e, at, guard: visit(e.guard) };
    }
    default:
      return e;
  }
}
