import type { DType, Expr } from "@gradus/core";

type Op = Extract<Expr, { kind: "op" }>;

/** The text of an operation, given its operands' texts. */
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

/** Comparisons, by functions whose names end so. */
function comparisons(ending: string): Readonly<Record<string, Operation>> {
  return {
    eq: call(`eq${ending}`),
    ne: call(`ne${ending}`),
    lt: call(`lt${ending}`),
    le: call(`le${ending}`),
    gt: (a, b) => `lt${ending}(${b}, ${a})`,
    ge: (a, b) => `le${ending}(${b}, ${a})`,
    where: call("pick"),
    isNaN: call("test_nan"),
    isInf: call("test_inf"),
    isFinite: call("test_finite"),
  };
}

const ofFloats: Readonly<Record<string, Operation>> = {
  ...comparisons(""),
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: call("div_f"),
  maximum: call("max_f"),
  minimum: call("min_f"),
  copysign: call("with_sign"),
  remainder: call("remainder_f"),
  fmod: call("fmod_f"),
  neg: call("neg"),
  abs: call("abs_f"),
  sign: call("sign_f"),
  square: (x) => `(${x} * ${x})`,
  reciprocal: (x) => `div_f(1, ${x})`,
  floor: call("floor_f"),
  ceil: call("ceil_f"),
  trunc: call("trunc_f"),
  round: call("round_even"),
  sqrt: call("sqrt_f"),
  relu: call("relu_f"),
  ...Object.fromEntries(
    [
      ...["exp", "exp2", "expm1", "log", "log2", "log1p", "pow", "logaddexp", "sigmoid"],
      ...["sin", "cos", "asin", "acos", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"],
      ...["erf", "erfc", "erfinv", "gelu", "lgamma", "digamma", "polygamma"],
    ].map((name) => [name, call(`${name}_f`)]),
  ),
};

/** Integers are floats that hold whole numbers up to 2^24. What needs all 32 bits is not here: it is the host's. */
const ofIntegers: Readonly<Record<string, Operation>> = {
  ...comparisons("_i"),
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  maximum: call("max_i"),
  minimum: call("min_i"),
  idiv: call("idiv"),
  imod: call("imod"),
  fmod: call("imod"),
  neg: (x) => `(0 - ${x})`,
  abs: call("abs_f"),
  sign: call("sign_f"),
  square: (x) => `(${x} * ${x})`,
  floor: itself,
  ceil: itself,
  trunc: itself,
  round: itself,
  relu: call("relu_f"),
};

const ofBools: Readonly<Record<string, Operation>> = {
  ...comparisons("_i"),
  logicalAnd: infix("*"),
  logicalOr: call("either"),
  logicalXor: call("differ"),
  logicalNot: (x) => `(1 - ${x})`,
};

/** How an op on operands of a dtype is written, if it has text of its own; else it is what its row expands to. */
export function operationOf(op: string, operand: DType): Operation | undefined {
  const table = operand === "f32" ? ofFloats : operand === "i32" ? ofIntegers : ofBools;
  return Object.hasOwn(table, op) ? table[op] : undefined;
}

/** `text`, of one dtype, as another. */
export function castText(text: string, from: DType, to: DType): string {
  if (to === "bool") return `truth(${text})`;
  return from === "f32" && to === "i32" ? `trunc_f(${text})` : text;
}

/** A number as gpu.js takes it. */
export function literal(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isNaN(rounded)) return "nan()";
  if (!Number.isFinite(rounded)) return rounded > 0 ? "inf()" : "neg(inf())";
  if (Object.is(rounded, -0)) return "neg(0)";
  return rounded < 0 ? `(-${-rounded})` : `${rounded}`;
}
