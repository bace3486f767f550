import type { DType } from "../dtype.js";
import { constant, type Expr } from "./expr.js";

/*
 * Builders of scalar expressions, the vocabulary in which derivatives and lowerings are written. A plain number takes
 * the dtype of the expression beside it. Constants fold where that is exact for every operand.
 */

export type Value = Expr | number;

function lift(value: Value, dtype: DType): Expr {
  return typeof value === "number" ? constant(value, dtype) : value;
}

function isConst(e: Value, value: number): boolean {
  return typeof e === "number" ? Object.is(e, value) : e.kind === "const" && Object.is(e.value, value);
}

function dtypeOf(...values: Value[]): DType {
  for (const value of values) if (typeof value !== "number") return value.dtype;
  return "i32";
}

/** An `op` node whose result has the dtype of its operands. */
function numeric(op: string, ...values: Value[]): Expr {
  const dtype = dtypeOf(...values);
  return { kind: "op", op, args: values.map((value) => lift(value, dtype)), dtype };
}

/** An `op` node whose result is bool. */
function predicate(op: string, ...values: Value[]): Expr {
  const dtype = dtypeOf(...values);
  return { kind: "op", op, args: values.map((value) => lift(value, dtype)), dtype: "bool" };
}

function foldInts(a: Value, b: Value, f: (a: number, b: number) => number): Expr | undefined {
  const x = typeof a === "number" ? a : a.kind === "const" && a.dtype === "i32" ? a.value : undefined;
  const y = typeof b === "number" ? b : b.kind === "const" && b.dtype === "i32" ? b.value : undefined;
  return x === undefined || y === undefined || dtypeOf(a, b) !== "i32" ? undefined : constant(f(x, y), "i32");
}

export function add(a: Value, b: Value): Expr {
  const dtype = dtypeOf(a, b);
  if (dtype === "i32") {
    if (isConst(a, 0)) return lift(b, dtype);
    if (isConst(b, 0)) return lift(a, dtype);
  }
  return foldInts(a, b, (x, y) => (x + y) | 0) ?? numeric("add", a, b);
}

export function sub(a: Value, b: Value): Expr {
  if (isConst(b, 0)) return lift(a, dtypeOf(a, b));
  return foldInts(a, b, (x, y) => (x - y) | 0) ?? numeric("sub", a, b);
}

export function mul(a: Value, b: Value): Expr {
  const dtype = dtypeOf(a, b);
  if (isConst(a, 1)) return lift(b, dtype);
  if (isConst(b, 1)) return lift(a, dtype);
  if (dtype === "i32" && (isConst(a, 0) || isConst(b, 0))) return constant(0, "i32");
  return foldInts(a, b, Math.imul) ?? numeric("mul", a, b);
}

export const div = (a: Value, b: Value): Expr =>
  isConst(b, 1) ? lift(a, dtypeOf(a, b)) : numeric("div", a, b);
export const pow = (a: Value, b: Value): Expr => numeric("pow", a, b);
export const maximum = (a: Value, b: Value): Expr => numeric("maximum", a, b);
export const minimum = (a: Value, b: Value): Expr => numeric("minimum", a, b);
export const atan2 = (a: Value, b: Value): Expr => numeric("atan2", a, b);

/** Integer division towards zero. */
export const idiv = (a: Value, b: Value): Expr => (isConst(b, 1) ? lift(a, "i32") : numeric("idiv", a, b));
/** The remainder of {@link idiv}, with the sign of the dividend. */
export const imod = (a: Value, b: Value): Expr => numeric("imod", a, b);

export const bitAnd = (a: Value, b: Value): Expr => numeric("bitAnd", a, b);
export const bitOr = (a: Value, b: Value): Expr => numeric("bitOr", a, b);
export const bitXor = (a: Value, b: Value): Expr => numeric("bitXor", a, b);
export const shiftLeft = (a: Value, b: Value): Expr => numeric("shiftLeft", a, b);
export const shiftRightLogical = (a: Value, b: Value): Expr => numeric("shiftRightLogical", a, b);

export const neg = (a: Expr): Expr => numeric("neg", a);
export const abs = (a: Expr): Expr => numeric("abs", a);
export const sign = (a: Expr): Expr => numeric("sign", a);
export const square = (a: Expr): Expr => numeric("square", a);
export const exp = (a: Expr): Expr => numeric("exp", a);
export const expm1 = (a: Expr): Expr => numeric("expm1", a);
export const log = (a: Expr): Expr => numeric("log", a);
export const log1p = (a: Expr): Expr => numeric("log1p", a);
export const sqrt = (a: Expr): Expr => numeric("sqrt", a);
export const reciprocal = (a: Expr): Expr => numeric("reciprocal", a);
export const sin = (a: Expr): Expr => numeric("sin", a);
export const cos = (a: Expr): Expr => numeric("cos", a);
export const sinh = (a: Expr): Expr => numeric("sinh", a);
export const cosh = (a: Expr): Expr => numeric("cosh", a);
export const tanh = (a: Expr): Expr => numeric("tanh", a);
export const erf = (a: Expr): Expr => numeric("erf", a);
export const digamma = (a: Expr): Expr => numeric("digamma", a);
export const polygamma = (a: Expr, n: Value): Expr => numeric("polygamma", a, n);
export const softplus = (a: Expr): Expr => numeric("softplus", a);
export const sigmoid = (a: Expr): Expr => numeric("sigmoid", a);
export const floor = (a: Expr): Expr => numeric("floor", a);
export const trunc = (a: Expr): Expr => numeric("trunc", a);

export const equal = (a: Value, b: Value): Expr => predicate("eq", a, b);
export const less = (a: Value, b: Value): Expr => predicate("lt", a, b);
export const lessEqual = (a: Value, b: Value): Expr => predicate("le", a, b);
export const greater = (a: Value, b: Value): Expr => predicate("gt", a, b);
export const greaterEqual = (a: Value, b: Value): Expr => predicate("ge", a, b);
export const logicalAnd = (a: Expr, b: Expr): Expr => predicate("logicalAnd", a, b);
export const logicalOr = (a: Expr, b: Expr): Expr => predicate("logicalOr", a, b);
export const logicalNot = (a: Expr): Expr => predicate("logicalNot", a);

/** `a` where `condition` holds, else `b`. What is not chosen does not matter, NaN included. */
export function where(condition: Expr, a: Value, b: Value): Expr {
  const dtype = dtypeOf(a, b);
  return { kind: "op", op: "where", args: [condition, lift(a, dtype), lift(b, dtype)], dtype };
}
