import type { DType, Expr } from "@gradus/core";

/** An operation of this backend's own: rounding to float16, which no kernel has. */
export const HALF = "roundToHalf";

type Op = Extract<Expr, { kind: "op" }>;

/** The text of an operation, given its operands' texts. Functions of `functions.ts` that it calls are found by name. */
export type Operation = (...args: string[]) => string;

/** The dtype that decides which operation an op is. */
export function operandOf({ op, args }: Op): DType {
  return (args[op === "where" ? 1 : 0] as Expr).dtype;
}

const call =
  (name: string): Operation =>
  (...args) =>
    `${name}(${args.join(", ")})`;
const infix =
  (operator: string): Operation =>
  (a, b) =>
    `(${a} ${operator} ${b})`;
const itself: Operation = (x) => x;
const shift =
  (operator: string): Operation =>
  (a, b) =>
    `(${a} ${operator} (bitcast<u32>(${b}) & 31u))`;

const ofFloats: Readonly<Record<string, Operation>> = {
  [HALF]: call("half"),
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: call("div_f32"),
  maximum: call("max_f32"),
  minimum: call("min_f32"),
  copysign: call("with_sign"),
  remainder: call("remainder_f32"),
  fmod: call("fmod_f32"),
  neg: (x) => `(-${x})`,
  abs: call("abs"),
  sign: call("sign_f32"),
  square: (x) => `(${x} * ${x})`,
  reciprocal: (x) => `div_f32(1f, ${x})`,
  floor: call("floor"),
  ceil: call("ceil"),
  trunc: call("trunc"),
  round: call("round"),
  sqrt: call("sqrt"),
  relu: call("relu_f32"),
  eq: call("eq_f32"),
  ne: call("ne_f32"),
  lt: call("lt_f32"),
  le: call("le_f32"),
  gt: (a, b) => `lt_f32(${b}, ${a})`,
  ge: (a, b) => `le_f32(${b}, ${a})`,
  isNaN: call("is_nan"),
  isInf: call("is_inf"),
  isFinite: call("is_finite"),
  ...Object.fromEntries(
    [
      ...["exp", "exp2", "expm1", "log", "log2", "log1p", "pow", "logaddexp", "sigmoid"],
      ...["sin", "cos", "asin", "acos", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"],
      ...["erf", "erfc", "erfinv", "gelu", "lgamma", "digamma", "polygamma"],
    ].map((name) => [name, call(`${name}_f32`)]),
  ),
};

const ofIntegers: Readonly<Record<string, Operation>> = {
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  maximum: call("max"),
  minimum: call("min"),
  remainder: call("remainder_i32"),
  fmod: call("imod"),
  idiv: call("idiv"),
  imod: call("imod"),
  neg: (x) => `(-${x})`,
  abs: call("abs"),
  sign: call("sign"),
  square: (x) => `(${x} * ${x})`,
  floor: itself,
  ceil: itself,
  trunc: itself,
  round: itself,
  relu: (x) => `max(${x}, 0)`,
  eq: infix("=="),
  ne: infix("!="),
  lt: infix("<"),
  le: infix("<="),
  gt: infix(">"),
  ge: infix(">="),
  isNaN: () => "false",
  isInf: () => "false",
  isFinite: () => "true",
  bitAnd: infix("&"),
  bitOr: infix("|"),
  bitXor: infix("^"),
  shiftLeft: shift("<<"),
  shiftRight: shift(">>"),
  shiftRightLogical: (a, b) => `bitcast<i32>(bitcast<u32>(${a}) >> (bitcast<u32>(${b}) & 31u))`,
};

const ofBools: Readonly<Record<string, Operation>> = {
  eq: infix("=="),
  ne: infix("!="),
  lt: (a, b) => `(!${a} && ${b})`,
  le: (a, b) => `(!${a} || ${b})`,
  gt: (a, b) => `(${a} && !${b})`,
  ge: (a, b) => `(${a} || !${b})`,
  isNaN: () => "false",
  isInf: () => "false",
  isFinite: () => "true",
  logicalAnd: infix("&&"),
  logicalOr: infix("||"),
  logicalXor: infix("!="),
  logicalNot: (a) => `(!${a})`,
};

const where: Operation = (condition, a, b) => `select(${b}, ${a}, ${condition})`;

/** How an op on operands of a dtype is written, if it has text of its own; else it is what its row expands to. */
export function operationOf(op: string, operand: DType): Operation | undefined {
  if (op === "where") return where;
  const table = operand === "f32" ? ofFloats : operand === "i32" ? ofIntegers : ofBools;
  return Object.hasOwn(table, op) ? table[op] : undefined;
}

/** `text`, of one dtype, as another. A value of f16 is an f32 that f16 has. */
export function castText(text: string, from: DType, to: DType): string {
  if (to === "f16") return `half(${castText(text, from, "f32")})`;
  if (from === "f16") return to === "f32" ? text : castText(text, "f32", to);
  if (to === "bool") return from === "f32" ? `!is_zero(${text})` : `(${text} != 0)`;
  if (to === "f32" && from === "f32") return text;
  if (to === "f32") return from === "bool" ? `select(0f, 1f, ${text})` : `f32(${text})`;
  return from === "bool" ? `select(0, 1, ${text})` : `i32_of_f32(${text})`;
}

/** A number of a dtype. What WGSL refuses or may flush goes through its bits. */
export function literal(value: number, dtype: DType): string {
  if (dtype === "bool") return value === 0 ? "false" : "true";
  if (dtype === "i32")
    return value === -2147483648 ? "i32(-2147483648)" : value < 0 ? `(${value})` : `${value}`;
  const rounded = Math.fround(value);
  const ordinary =
    Number.isFinite(rounded) && (Math.abs(rounded) >= 1.1754943508222875e-38 || Object.is(rounded, 0));
  if (ordinary) return rounded < 0 ? `(${rounded}f)` : `${rounded}f`;
  const bits = new Uint32Array(Float32Array.of(rounded).buffer)[0] as number;
  return `of_bits(0x${bits.toString(16)}u)`;
}

/** The type of a value, and how an element of a buffer is stored. */
export const typeOf = (dtype: DType): string => (dtype === "f16" ? "f32" : dtype);
export const storedAs = (dtype: DType): string => (dtype === "bool" ? "u32" : dtype);
