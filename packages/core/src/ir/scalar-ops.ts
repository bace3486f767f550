import type { DType } from "../dtype.js";
import * as c from "./calculus.js";
import type { Expr } from "./expr.js";
import * as gamma from "./gamma-functions.js";
import * as special from "./special-functions.js";

/**
 * Which operands an op takes and what it returns.
 *
 * - `float`: operands are promoted; integers become f32; the result is a float.
 * - `number`: operands are promoted, bool becomes i32; the result has their dtype.
 * - `compare`: operands are promoted; the result is bool.
 * - `test`: one operand of any dtype; the result is bool.
 * - `logic`: bool operands; the result is bool.
 * - `bits`: i32 operands; the result is i32.
 * - `select`: a bool, then operands that are promoted; the result has their dtype.
 */
export type OpTyping = "float" | "number" | "compare" | "test" | "logic" | "bits" | "select";

/** Operand count of an op, as its method's type needs it. */
export type Arity = 1 | 2 | 3;

/**
 * One elementwise operation, whole: what it computes, on which dtypes, and its derivative. The tensor method, the
 * gradient of any order, eager execution, `compile` and every backend follow from the row.
 */
export interface ScalarOp<N extends Arity = Arity> {
  readonly arity: N;
  readonly typing: OpTyping;
  /** The value, in float64. This is the reference that every backend is tested against. */
  readonly value: (...args: number[]) => number;
  /** The value for i32 operands where wrapping or truncation makes it another function. */
  readonly integer?: (...args: number[]) => number;
  /**
   * The cotangents of the operands, given the result's cotangent `dy`, the operands and the result `y`; `undefined`
   * where there is none. Written with the builders of `calculus.ts`. No `gradient`: the derivative is zero or undefined.
   */
  readonly gradient?: (dy: Expr, args: readonly Expr[], y: Expr) => readonly (Expr | undefined)[];
  /**
   * The same function in terms of other ops, for a backend that has no instruction for it. Backends implement the rows
   * without an `expand` (see `primitiveOps`) and may implement the others.
   */
  readonly expand?: (...args: Expr[]) => Expr;
}

type Gradient1 = (dy: Expr, x: Expr, y: Expr) => Expr;
type Gradient2 = (dy: Expr, a: Expr, b: Expr, y: Expr) => readonly [Expr | undefined, Expr | undefined];

function float1(value: (x: number) => number, gradient?: Gradient1, expand?: (x: Expr) => Expr): ScalarOp<1> {
  return unary("float", value, gradient, expand);
}

function number1(
  value: (x: number) => number,
  gradient?: Gradient1,
  integer?: (x: number) => number,
): ScalarOp<1> {
  return { ...unary("number", value, gradient), ...(integer && { integer }) };
}

function unary(
  typing: OpTyping,
  value: (x: number) => number,
  gradient?: Gradient1,
  expand?: (x: Expr) => Expr,
): ScalarOp<1> {
  return {
    arity: 1,
    typing,
    value,
    ...(gradient && { gradient: (dy: Expr, [x]: readonly Expr[], y: Expr) => [gradient(dy, x as Expr, y)] }),
    ...(expand && { expand }),
  };
}

function binary(
  typing: OpTyping,
  value: (a: number, b: number) => number,
  options: {
    gradient?: Gradient2;
    integer?: (a: number, b: number) => number;
    expand?: (a: Expr, b: Expr) => Expr;
  } = {},
): ScalarOp<2> {
  const { gradient, integer, expand } = options;
  return {
    arity: 2,
    typing,
    value,
    ...(gradient && {
      gradient: (dy: Expr, [a, b]: readonly Expr[], y: Expr) => gradient(dy, a as Expr, b as Expr, y),
    }),
    ...(integer && { integer }),
    ...(expand && { expand }),
  };
}

function test(value: (x: number) => boolean): ScalarOp<1> {
  return unary("test", (x) => (value(x) ? 1 : 0));
}

function comparison(value: (a: number, b: number) => boolean): ScalarOp<2> {
  return binary("compare", (a, b) => (value(a, b) ? 1 : 0));
}

const LN2 = Math.LN2;
const LN10 = Math.LN10;
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
const SQRT_HALF = Math.SQRT1_2;
const HALF_SQRT_PI = Math.sqrt(Math.PI) / 2;
const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

/** Nothing to the loser, half to each side of a tie (as in PyTorch), and everything to both where one is NaN. */
function tieGradient(loses: (a: Expr, b: Expr) => Expr): Gradient2 {
  return (dy, a, b) => {
    const share = c.where(c.equal(a, b), c.mul(dy, 0.5), dy);
    return [c.where(loses(a, b), 0, share), c.where(loses(b, a), 0, share)];
  };
}

/**
 * The table. A new row is a new method on `Tensor`, with gradient, `compile` and every backend.
 *
 * At kinks the derivative is PyTorch's: 0 for `relu` and `abs` at 0, 1 for `clamp` at its bounds, half to each side of a
 * tie of `maximum`.
 */
export const scalarOps = {
  // Arithmetic
  add: binary("number", (a, b) => a + b, { integer: (a, b) => (a + b) | 0, gradient: (dy) => [dy, dy] }),
  sub: binary("number", (a, b) => a - b, {
    integer: (a, b) => (a - b) | 0,
    gradient: (dy) => [dy, c.neg(dy)],
  }),
  mul: binary("number", (a, b) => a * b, {
    integer: Math.imul,
    gradient: (dy, a, b) => [c.mul(dy, b), c.mul(dy, a)],
  }),
  div: binary("float", (a, b) => a / b, {
    gradient: (dy, a, b) => [c.div(dy, b), c.neg(c.mul(c.div(dy, b), c.div(a, b)))],
  }),
  /** As in C and PyTorch: 1 for a base of 1 or an exponent of 0, also with NaN, and for -1 to an infinite power. */
  pow: binary(
    "float",
    (a, b) => (a === 1 || b === 0 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
    {
      gradient: (dy, a, b, y) => [
        c.where(c.equal(b, 0), 0, c.mul(dy, c.mul(b, c.pow(a, c.sub(b, 1))))),
        c.where(c.logicalAnd(c.equal(a, 0), c.greaterEqual(b, 0)), 0, c.mul(dy, c.mul(y, c.log(a)))),
      ],
    },
  ),
  maximum: binary("number", (a, b) => Math.max(a, b), { gradient: tieGradient(c.less) }),
  minimum: binary("number", (a, b) => Math.min(a, b), { gradient: tieGradient(c.greater) }),
  atan2: binary("float", Math.atan2, {
    gradient: (dy, a, b) => {
      const norm = c.add(c.square(a), c.square(b));
      return [c.div(c.mul(dy, b), norm), c.neg(c.div(c.mul(dy, a), norm))];
    },
  }),
  hypot: binary("float", Math.hypot, {
    gradient: (dy, a, b, y) => [c.mul(dy, c.div(a, y)), c.mul(dy, c.div(b, y))],
    expand: (a, b) => {
      const [p, q] = [c.abs(a), c.abs(b)];
      const large = c.maximum(p, q);
      const ratio = c.where(c.equal(large, 0), 0, c.div(c.minimum(p, q), large));
      return c.where(
        c.logicalOr(isInfinite(p), isInfinite(q)),
        Infinity,
        c.mul(large, c.sqrt(c.add(1, c.square(ratio)))),
      );
    },
  }),
  /** The magnitude of the first with the sign of the second, -0 included. */
  copysign: binary("float", (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)), {
    gradient: (dy, a, _, y) => [c.where(c.equal(a, 0), 0, c.mul(dy, c.mul(c.sign(a), c.sign(y)))), undefined],
    expand: (a, b) =>
      c.where(c.logicalOr(c.less(b, 0), c.less(c.reciprocal(b), 0)), c.neg(c.abs(a)), c.abs(a)),
  }),
  /** Integer division towards zero; by zero it is 0, on every backend. */
  idiv: binary("bits", (a, b) => (b === 0 ? 0 : Math.trunc(a / b) | 0)),
  /** The remainder of `idiv`, with the dividend's sign; by zero it is 0. */
  imod: binary("bits", (a, b) => (b === 0 ? 0 : (a % b) | 0)),
  /** The remainder with the divisor's sign: `a - floor(a / b) * b` (Python's `%`). */
  remainder: binary("number", (a, b) => special.floorRemainder(a, b), {
    integer: (a, b) => (b === 0 ? 0 : special.floorRemainder(a, b) | 0),
    gradient: (dy, a, b) => [dy, c.neg(c.mul(dy, c.floor(c.div(a, b))))],
  }),
  /** The remainder with the dividend's sign (C's `fmod`). */
  fmod: binary("number", (a, b) => a % b, {
    integer: (a, b) => (b === 0 ? 0 : (a % b) | 0),
    gradient: (dy, a, b) => [dy, c.neg(c.mul(dy, c.trunc(c.div(a, b))))],
  }),
  neg: number1(
    (x) => -x,
    (dy) => c.neg(dy),
    (x) => -x | 0,
  ),
  abs: number1(
    Math.abs,
    (dy, x) => c.mul(dy, c.sign(x)),
    (x) => Math.abs(x) | 0,
  ),
  sign: number1((x) => (x > 0 ? 1 : x < 0 ? -1 : 0)),
  square: number1(
    (x) => x * x,
    (dy, x) => c.mul(dy, c.mul(2, x)),
    (x) => Math.imul(x, x),
  ),
  reciprocal: float1(
    (x) => 1 / x,
    (dy, _, y) => c.neg(c.mul(dy, c.square(y))),
  ),

  // Rounding: the derivative is zero
  floor: number1(Math.floor),
  ceil: number1(Math.ceil),
  trunc: number1(Math.trunc),
  /** Half to even, as in PyTorch and NumPy. */
  round: number1(special.roundHalfEven),
  /** `x - trunc(x)`. */
  frac: float1(
    (x) => x - Math.trunc(x),
    (dy) => dy,
    (x) => c.sub(x, c.trunc(x)),
  ),

  // Exponentials and logarithms
  exp: float1(Math.exp, (dy, _, y) => c.mul(dy, y)),
  exp2: float1(
    (x) => 2 ** x,
    (dy, _, y) => c.mul(dy, c.mul(y, LN2)),
    (x) => c.exp(c.mul(x, LN2)),
  ),
  expm1: float1(Math.expm1, (dy, _, y) => c.mul(dy, c.add(y, 1))),
  log: float1(Math.log, (dy, x) => c.div(dy, x)),
  log2: float1(
    Math.log2,
    (dy, x) => c.div(dy, c.mul(x, LN2)),
    (x) => c.div(c.log(x), LN2),
  ),
  log10: float1(
    Math.log10,
    (dy, x) => c.div(dy, c.mul(x, LN10)),
    (x) => c.div(c.log(x), LN10),
  ),
  log1p: float1(Math.log1p, (dy, x) => c.div(dy, c.add(x, 1))),
  sqrt: float1(Math.sqrt, (dy, _, y) => c.div(dy, c.mul(2, y))),
  rsqrt: float1(
    (x) => 1 / Math.sqrt(x),
    (dy, x, y) => c.mul(dy, c.mul(-0.5, c.div(y, x))),
    (x) => c.reciprocal(c.sqrt(x)),
  ),
  /** `log(exp(a) + exp(b))` without overflow. */
  logaddexp: binary("float", special.logAddExp, {
    gradient: (dy, a, b) => [c.mul(dy, c.sigmoid(c.sub(a, b))), c.mul(dy, c.sigmoid(c.sub(b, a)))],
    expand: (a, b) =>
      c.where(
        c.equal(a, b),
        c.add(a, LN2),
        c.add(c.maximum(a, b), c.log1p(c.exp(c.neg(c.abs(c.sub(a, b)))))),
      ),
  }),

  /** `x log(y)`, and 0 where x is 0, unless y is NaN. */
  xlogy: binary("float", (x, y) => (x === 0 && !Number.isNaN(y) ? 0 : x * Math.log(y)), {
    gradient: (dy, x, y) => [
      c.where(c.logicalAnd(c.equal(x, 0), c.lessEqual(y, 0)), 0, c.mul(dy, c.log(y))),
      c.mul(dy, c.div(x, y)),
    ],
    expand: (x, y) => c.where(c.logicalAnd(c.equal(x, 0), c.equal(y, y)), 0, c.mul(x, c.log(y))),
  }),

  // Trigonometric and hyperbolic
  sin: float1(Math.sin, (dy, x) => c.mul(dy, c.cos(x))),
  cos: float1(Math.cos, (dy, x) => c.neg(c.mul(dy, c.sin(x)))),
  tan: float1(
    Math.tan,
    (dy, _, y) => c.mul(dy, c.add(1, c.square(y))),
    (x) => c.div(c.sin(x), c.cos(x)),
  ),
  asin: float1(Math.asin, (dy, x) => c.div(dy, c.sqrt(c.sub(1, c.square(x))))),
  acos: float1(Math.acos, (dy, x) => c.neg(c.div(dy, c.sqrt(c.sub(1, c.square(x)))))),
  atan: float1(
    Math.atan,
    (dy, x) => c.div(dy, c.add(1, c.square(x))),
    (x) => c.atan2(x, 1),
  ),
  /** `sin(pi x) / (pi x)`, and 1 at 0. */
  sinc: float1(
    special.sinc,
    (dy, x) => c.mul(dy, sincSlope(x)),
    (x) => {
      const angle = c.mul(x, Math.PI);
      return c.where(c.equal(x, 0), 1, c.div(c.sin(angle), angle));
    },
  ),
  sinh: float1(Math.sinh, (dy, x) => c.mul(dy, c.cosh(x))),
  cosh: float1(Math.cosh, (dy, x) => c.mul(dy, c.sinh(x))),
  tanh: float1(Math.tanh, (dy, _, y) => c.mul(dy, c.sub(1, c.square(y)))),
  asinh: float1(Math.asinh, (dy, x) => c.div(dy, c.sqrt(c.add(1, c.square(x))))),
  acosh: float1(Math.acosh, (dy, x) => c.div(dy, c.sqrt(c.sub(c.square(x), 1)))),
  atanh: float1(Math.atanh, (dy, x) => c.div(dy, c.sub(1, c.square(x)))),

  // Error function
  erf: float1(special.erf, (dy, x) => c.mul(dy, c.mul(TWO_OVER_SQRT_PI, c.exp(c.neg(c.square(x)))))),
  erfc: float1(special.erfc, (dy, x) => c.mul(dy, c.mul(-TWO_OVER_SQRT_PI, c.exp(c.neg(c.square(x)))))),
  /** The inverse of `erf`. */
  erfinv: float1(special.erfinv, (dy, _, y) => c.mul(dy, c.mul(HALF_SQRT_PI, c.exp(c.square(y))))),

  // Gamma function
  /** `log |Gamma(x)|`. */
  lgamma: float1(gamma.lgamma, (dy, x) => c.mul(dy, c.digamma(x))),
  /** The derivative of `lgamma`. */
  digamma: float1(
    gamma.digamma,
    (dy, x) => c.mul(dy, c.polygamma(x, 1)),
    (x) => c.polygamma(x, 0),
  ),
  /** `x.polygamma(n)`: the n-th derivative of `digamma`; n is rounded to a whole number. */
  polygamma: binary("float", gamma.polygamma, {
    gradient: (dy, x, n) => [c.mul(dy, c.polygamma(x, c.add(n, 1))), undefined],
  }),

  // Activations
  relu: number1(
    (x) => (x > 0 ? x : Number.isNaN(x) ? x : 0),
    (dy, x) => c.where(c.greater(x, 0), dy, 0),
  ),
  sigmoid: float1(special.sigmoid, (dy, _, y) => c.mul(dy, c.mul(y, c.sub(1, y)))),
  /** `log(sigmoid(x))`, stable at both ends. */
  logSigmoid: float1(
    (x) => -special.softplus(-x),
    (dy, x) => c.mul(dy, c.sigmoid(c.neg(x))),
    (x) => c.neg(c.softplus(c.neg(x))),
  ),
  /** `log(1 + exp(x))`, stable at both ends. */
  softplus: float1(
    special.softplus,
    (dy, x) => c.mul(dy, c.sigmoid(x)),
    (x) => c.add(c.maximum(x, 0), c.log1p(c.exp(c.neg(c.abs(x))))),
  ),
  /** `x * sigmoid(x)`, also called swish. */
  silu: float1(
    (x) => x * special.sigmoid(x),
    (dy, x) => {
      const s = c.sigmoid(x);
      return c.mul(dy, c.mul(s, c.add(1, c.mul(x, c.sub(1, s)))));
    },
    (x) => c.mul(x, c.sigmoid(x)),
  ),
  /** `x * Phi(x)`, the exact Gaussian error linear unit. */
  gelu: float1(
    (x) => 0.5 * x * special.erfc(-x * SQRT_HALF),
    (dy, x) => {
      const cdf = c.mul(0.5, c.add(1, c.erf(c.mul(x, SQRT_HALF))));
      const pdf = c.mul(INV_SQRT_2PI, c.exp(c.mul(-0.5, c.square(x))));
      return c.mul(dy, c.add(cdf, c.mul(x, pdf)));
    },
    (x) => c.mul(c.mul(0.5, x), c.add(1, c.erf(c.mul(x, SQRT_HALF)))),
  ),
  /** `x` where positive, `slope * x` elsewhere. */
  leakyRelu: binary("float", (x, slope) => (x > 0 ? x : slope * x), {
    gradient: (dy, x, slope) => [
      c.where(c.greater(x, 0), dy, c.mul(dy, slope)),
      c.where(c.greater(x, 0), 0, c.mul(dy, x)),
    ],
    expand: (x, slope) => c.where(c.greater(x, 0), x, c.mul(slope, x)),
  }),
  /** `x` where positive, `alpha * (exp(x) - 1)` elsewhere. */
  elu: binary("float", (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)), {
    gradient: (dy, x, alpha) => [
      c.where(c.greater(x, 0), dy, c.mul(dy, c.mul(alpha, c.exp(x)))),
      c.where(c.greater(x, 0), 0, c.mul(dy, c.expm1(x))),
    ],
    expand: (x, alpha) => c.where(c.greater(x, 0), x, c.mul(alpha, c.expm1(x))),
  }),
  /** `x * tanh(softplus(x))`. */
  mish: float1(
    (x) => x * Math.tanh(special.softplus(x)),
    (dy, x) => {
      const t = c.tanh(c.softplus(x));
      return c.mul(dy, c.add(t, c.mul(c.mul(x, c.sub(1, c.square(t))), c.sigmoid(x))));
    },
    (x) => c.mul(x, c.tanh(c.softplus(x))),
  ),

  // Comparisons and tests
  eq: comparison((a, b) => a === b),
  ne: comparison((a, b) => a !== b),
  lt: comparison((a, b) => a < b),
  le: comparison((a, b) => a <= b),
  gt: comparison((a, b) => a > b),
  ge: comparison((a, b) => a >= b),
  isNaN: test(Number.isNaN),
  isInf: test((x) => x === Infinity || x === -Infinity),
  isFinite: test(Number.isFinite),
  logicalAnd: binary("logic", (a, b) => a & b),
  logicalOr: binary("logic", (a, b) => a | b),
  logicalXor: binary("logic", (a, b) => a ^ b),
  logicalNot: unary("logic", (a) => 1 - a),

  // Selection
  /** `condition.where(a, b)`: a where true, else b. */
  where: {
    arity: 3,
    typing: "select",
    value: (condition, a, b) => (condition !== 0 ? a : b) as number,
    gradient: (dy, [condition]) => [
      undefined,
      c.where(condition as Expr, dy, 0),
      c.where(condition as Expr, 0, dy),
    ],
  } as ScalarOp<3>,
  /** `min(max(x, low), high)`; NaN stays NaN. The gradient is 1 at the bounds, as in PyTorch. */
  clamp: {
    arity: 3,
    typing: "number",
    value: (x, low, high) => Math.min(Math.max(x as number, low as number), high as number),
    gradient: (dy, args) => {
      const [x, low, high] = args as [Expr, Expr, Expr];
      return [
        c.where(c.logicalAnd(c.greaterEqual(x, low), c.lessEqual(x, high)), dy, 0),
        c.where(c.logicalAnd(c.less(x, low), c.less(low, high)), dy, 0),
        c.where(c.logicalOr(c.greater(x, high), c.greater(low, high)), dy, 0),
      ];
    },
    expand: (x: Expr, low: Expr, high: Expr) => c.minimum(c.maximum(x, low), high),
  } as ScalarOp<3>,
  /** `clamp` as an activation: the gradient is 0 at the bounds, as PyTorch's `hardtanh` and `relu6`. */
  hardtanh: {
    arity: 3,
    typing: "number",
    value: (x, low, high) => Math.min(Math.max(x as number, low as number), high as number),
    gradient: (dy, args) => {
      const [x, low, high] = args as [Expr, Expr, Expr];
      return [
        c.where(c.logicalOr(c.lessEqual(x, low), c.greaterEqual(x, high)), 0, dy),
        c.where(c.lessEqual(x, low), dy, 0),
        c.where(c.greaterEqual(x, high), dy, 0),
      ];
    },
    expand: (x: Expr, low: Expr, high: Expr) => c.minimum(c.maximum(x, low), high),
  } as ScalarOp<3>,

  // Bits of i32
  bitAnd: binary("bits", (a, b) => a & b),
  bitOr: binary("bits", (a, b) => a | b),
  bitXor: binary("bits", (a, b) => a ^ b),
  shiftLeft: binary("bits", (a, b) => a << b),
  shiftRight: binary("bits", (a, b) => a >> b),
  shiftRightLogical: binary("bits", (a, b) => (a >>> b) | 0),
} satisfies Record<string, ScalarOp>;

/**
 * The derivative of `sinc`: `(cos(pi x) - sinc(x)) / x`; near 0, where that cancels, the derivative of the series of `sinc`,
 * `-2 a / 3! + 4 a^3 / 5! - ...` of `a = pi x`, to the precision of float64.
 */
function sincSlope(x: Expr): Expr {
  const near = c.less(c.abs(x), 0.25);
  const angle = c.mul(x, Math.PI);
  const square = c.square(angle);
  let series: Expr | number = 0;
  let factorial = SINC_TERMS.reduce((product, term) => product * (2 * term) * (2 * term + 1), 1);
  for (const term of [...SINC_TERMS].reverse()) {
    series = c.add(c.mul(series, square), ((-1) ** term * 2 * term) / factorial);
    factorial /= 2 * term * (2 * term + 1);
  }
  // The other branch must not divide by 0: its own derivative would be NaN, which no choice hides.
  const far = c.where(near, 1, x);
  const farAngle = c.mul(far, Math.PI);
  const direct = c.div(c.sub(c.cos(farAngle), c.div(c.sin(farAngle), farAngle)), far);
  return c.where(near, c.mul(c.mul(series, angle), Math.PI), direct);
}

const SINC_TERMS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

function isInfinite(x: Expr): Expr {
  return { kind: "op", op: "isInf", args: [x], dtype: "bool" };
}

export type ScalarOpName = keyof typeof scalarOps;

/** The row of an op, or undefined for a name that the table does not have. */
export function scalarOp(name: string): ScalarOp | undefined {
  return Object.hasOwn(scalarOps, name) ? scalarOps[name as ScalarOpName] : undefined;
}

/** The ops that a backend must implement: those that are not defined by others. */
export function primitiveOps(): ScalarOpName[] {
  return (Object.keys(scalarOps) as ScalarOpName[]).filter((name) => scalarOp(name)?.expand === undefined);
}

/** The dtype of `op`'s result, given the (already promoted) dtype of its operands. */
export function resultDType(op: ScalarOp, operand: DType): DType {
  return op.typing === "compare" || op.typing === "test" || op.typing === "logic" ? "bool" : operand;
}
