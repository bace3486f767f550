import {
  calculus as c,
  castNumber,
  childrenOf,
  constant,
  type DType,
  type Expr,
  isFloat,
  scalarOp,
} from "@gradus/core";
import { functionOf } from "../functions/table.js";
import { instructionOf } from "./instructions.js";

/**
 * Expressions as the emitter wants them: equal ones are one object, wherever they were built, and every operation is an
 * instruction or a function of `functions`.
 */
export class Lowering {
  private readonly done = new Map<Expr, Expr>();
  private readonly unique = new Map<string, Expr>();
  private readonly ids = new Map<Expr, number>();

  /** @param inlined how many functions may be written out where they are used, which saves a call for each vector. */
  constructor(private inlined = INLINED) {}

  lower(e: Expr): Expr {
    const known = this.done.get(e);
    if (known !== undefined) return known;
    // Rounding of what is f32 already.
    if (e.kind === "cast" && e.value.dtype === e.dtype) return this.lower(e.value);
    const children = childrenOf(e).map((child) => this.lower(child));
    const rewritten = e.kind === "op" ? this.rewrite({ ...e, args: children }) : undefined;
    const result = rewritten === undefined ? this.intern(e, children) : this.lower(rewritten);
    this.done.set(e, result);
    return result;
  }

  private rewrite(e: Extract<Expr, { kind: "op" }>): Expr | undefined {
    const operand = operandOf(e);
    if (instructionOf(e.op, operand) !== undefined) return undefined;
    const how = functionOf(e.op, operand);
    if (how !== undefined) {
      const written = how.kind === "program" && operand === "f32" ? how.written : undefined;
      if (written === undefined || this.inlined === 0) return undefined;
      this.inlined--;
      return written(...e.args);
    }
    return (Object.hasOwn(simple, e.op) && simple[e.op]?.(...e.args)) || scalarOp(e.op)?.expand?.(...e.args);
  }

  private intern(e: Expr, children: readonly Expr[]): Expr {
    let key = `${e.kind} ${e.dtype}${ownText(e)}`;
    for (const child of children) key += ` ${this.ids.get(child)}`;
    const known = this.unique.get(key);
    if (known !== undefined) return known;
    const made = withChildren(e, children);
    this.unique.set(key, made);
    this.ids.set(made, this.ids.size);
    this.done.set(made, made);
    return made;
  }
}

/** What an expression is beside its kind, its dtype and its children. */
function ownText(e: Expr): string {
  const number = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
  switch (e.kind) {
    case "const":
      return number(e.value);
    case "axis":
    case "size":
      return `${e.axis}`;
    case "op":
      return e.op;
    case "load":
      return e.guard === undefined ? `${e.buffer}` : `${e.buffer},${number(e.fill ?? 0)}`;
    case "cast":
      return "";
    default:
      return `${e.index}`;
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

/** How many functions a kernel's code holds where they are used; others are called. */
const INLINED = 4;

/** The dtype that decides which operation an op is. */
export function operandOf({ op, args }: Extract<Expr, { kind: "op" }>): DType {
  return (args[op === "where" ? 1 : 0] as Expr).dtype;
}

/** Rows that are a few instructions. A result of undefined or false: not for this dtype. */
const simple: Readonly<Record<string, (...args: Expr[]) => Expr | undefined | false>> = {
  square: (x) => c.mul(x as Expr, x as Expr),
  reciprocal: (x) => c.div(constant(1, (x as Expr).dtype), x as Expr),
  rsqrt: (x) => c.div(constant(1, (x as Expr).dtype), c.sqrt(x as Expr)),
  relu: (x) => c.maximum(x as Expr, 0),
  sign: (x) =>
    c.where(
      c.greater(x as Expr, 0),
      constant(1, (x as Expr).dtype),
      c.where(c.less(x as Expr, 0), constant(-1, (x as Expr).dtype), 0),
    ),
  isNaN: (x) => notEqual(x as Expr, x as Expr),
  isInf: (x) => (isFloat((x as Expr).dtype) ? c.equal(c.abs(x as Expr), Infinity) : constant(0, "bool")),
  isFinite: (x) => (isFloat((x as Expr).dtype) ? c.less(c.abs(x as Expr), Infinity) : constant(1, "bool")),
  logicalNot: (x) => c.equal(x as Expr, constant(0, "bool")),
  idiv: (a, b) => divided("quotient", a as Expr, b as Expr, (x) => c.neg(x)),
  imod: (a, b) => divided("remainderOf", a as Expr, b as Expr, () => constant(0, "i32")),
  maximum: (a, b) => c.where(c.greater(a as Expr, b as Expr), a as Expr, b as Expr),
  minimum: (a, b) => c.where(c.less(a as Expr, b as Expr), a as Expr, b as Expr),
  neg: (x) => c.sub(constant(0, "i32"), x as Expr),
  abs: (x) => c.where(c.less(x as Expr, 0), c.neg(x as Expr), x as Expr),
  floor: (x) => x,
  ceil: (x) => x,
  trunc: (x) => x,
  round: (x) => x,
  fmod: (a, b) => c.imod(a as Expr, b as Expr),
  remainder: (a, b) => {
    const [by, rest] = [b as Expr, c.imod(a as Expr, b as Expr)];
    const isOther = c.less(c.bitXor(rest, by), 0);
    return c.where(c.logicalAnd(isOther, notEqual(rest, constant(0, "i32"))), c.add(rest, by), rest);
  },
};

function notEqual(a: Expr, b: Expr): Expr {
  return { kind: "op", op: "ne", args: [a, b], dtype: "bool" };
}

/** A division that does not trap: by 0 it is 0, by -1 what is said here (the least i32 has no negative). */
function divided(op: string, a: Expr, b: Expr, byMinusOne: (a: Expr) => Expr): Expr {
  const divide = (by: Expr): Expr => ({ kind: "op", op, args: [a, by], dtype: "i32" });
  if (b.kind === "const" && b.value > 0) return divide(b);
  const [zero, minus] = [c.equal(b, 0), c.equal(b, -1)];
  const safe = c.where(c.logicalOr(zero, minus), constant(1, "i32"), b);
  return c.where(zero, constant(0, "i32"), c.where(minus, byMinusOne(a), divide(safe)));
}
