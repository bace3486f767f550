import { calculus as c, cast, constant, type DType, type Expr } from "@gradus/core";

/*
 * Functions of f32 that have no instruction, as expressions of those that have one. A generated module holds each that it
 * needs once, on four lanes. The polynomials are those of the Cephes library (S. Moshier).
 */

const operation = (op: string, dtype: DType, ...args: Expr[]): Expr => ({ kind: "op", op, args, dtype });
const bits = (x: Expr): Expr => operation("bits", "i32", x);
const ofBits = (i: Expr): Expr => operation("ofBits", "f32", i);
const polynomial = (x: Expr, [first, ...rest]: readonly number[]): Expr =>
  rest.reduce<Expr>((y, factor) => c.add(c.mul(y, x), factor), constant(first as number, "f32"));

/** ln 2 in two parts, the first of few bits, so that its products with whole numbers are exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

/** Added to a number of up to 2^22 it leaves the nearest whole number in the last bits. */
const ROUNDER = 12582912;
const ROUNDER_BITS = 0x4b400000;

/** The greater or lesser of x and a bound; NaN where x is. */
const atLeast = (x: Expr, bound: number): Expr => operation("greater", "f32", x, constant(bound, "f32"));
const atMost = (x: Expr, bound: number): Expr => operation("lesser", "f32", x, constant(bound, "f32"));

/** 2^n e^r: the power in two factors, since n may be beyond what one exponent holds. */
function exp(x: Expr): Expr {
  const bounded = atMost(atLeast(x, -104), 89);
  const rounded = c.add(c.mul(bounded, Math.LOG2E), ROUNDER);
  const n = c.sub(rounded, ROUNDER);
  const r = c.sub(c.sub(bounded, c.mul(n, LN2_HIGH)), c.mul(n, LN2_LOW));
  const p = polynomial(
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 0.16666665459, 0.50000001201],
  );
  const power = c.sub(bits(rounded), ROUNDER_BITS);
  const half = operation("shiftRight", "i32", power, constant(1, "i32"));
  const two = (k: Expr): Expr => ofBits(c.shiftLeft(c.add(k, 127), 23));
  return c.mul(c.mul(c.add(c.add(c.mul(p, c.mul(r, r)), r), 1), two(half)), two(c.sub(power, half)));
}

/** Sine and cosine of |x| up to this are computed from the remainder by a quarter turn, in three parts of which two are exact. */
const MANY_TURNS = 1024;
const [QUARTER_HIGH, QUARTER_MIDDLE, QUARTER_LOW] = [1.5703125, 4.8375129699707e-4, 7.549789954891882e-8];

/** The sine of `x` and so many quarter turns. */
function sine(x: Expr, quarters: number): Expr {
  const rounded = c.add(c.mul(x, 2 / Math.PI), ROUNDER);
  const n = c.sub(rounded, ROUNDER);
  const r = c.sub(c.sub(c.sub(x, c.mul(n, QUARTER_HIGH)), c.mul(n, QUARTER_MIDDLE)), c.mul(n, QUARTER_LOW));
  const z = c.mul(r, r);
  const odd = c.mul(polynomial(z, [-1.9515295891e-4, 8.3321608736e-3, -0.16666654611]), z);
  const even = c.mul(
    polynomial(z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]),
    c.mul(z, z),
  );
  const sinus = c.add(c.mul(odd, r), r);
  const cosinus = c.add(c.sub(even, c.mul(z, 0.5)), 1);
  const quadrant = c.add(bits(rounded), quarters - ROUNDER_BITS);
  const isOdd = c.equal(c.bitAnd(quadrant, 1), 1);
  const sign = c.shiftLeft(c.bitAnd(quadrant, 2), 30);
  return ofBits(c.bitXor(bits(c.where(isOdd, cosinus, sinus)), sign));
}

function sin(x: Expr): Expr {
  // The sine of -0 is -0.
  return c.where(c.less(c.abs(x), 2 ** -13), x, sine(x, 0));
}

function cos(x: Expr): Expr {
  return sine(x, 1);
}

function log(x: Expr): Expr {
  const tiny = c.less(x, 1.17549435e-38);
  const word = bits(c.where(tiny, c.mul(x, 2 ** 23), x));
  const mantissa = ofBits(c.bitOr(c.bitAnd(word, 0x7fffff), 0x3f000000));
  const low = c.less(mantissa, Math.SQRT1_2);
  const f = c.sub(c.where(low, c.add(mantissa, mantissa), mantissa), 1);
  const exponent = c.sub(c.shiftRightLogical(word, 23), 126);
  const e = cast(c.sub(c.sub(exponent, cast(low, "i32")), c.where(tiny, constant(23, "i32"), 0)), "f32");
  const square = c.mul(f, f);
  const p = polynomial(f, [
    ...[7.0376836292e-2, -0.115146103, 0.116769987, -0.12420140846, 0.14249322787, -0.16668057665],
    ...[0.20000714765, -0.24999993993, 0.33333331174],
  ]);
  const rest = c.sub(c.add(c.mul(c.mul(p, f), square), c.mul(e, LN2_LOW)), c.mul(square, 0.5));
  const value = c.add(c.add(f, rest), c.mul(e, LN2_HIGH));
  const edge = c.where(c.equal(x, 0), constant(-Infinity, "f32"), Number.NaN);
  return c.where(c.greater(x, 0), c.where(c.equal(x, Infinity), x, value), edge);
}

/** `log(u) x / (u - 1)` with u = 1 + x: what rounding u loses, the quotient gives back (Kahan). */
function log1p(x: Expr): Expr {
  const u = c.add(x, 1);
  const value = c.mul(c.log(u), c.div(x, c.sub(u, 1)));
  return c.where(c.equal(u, 1), x, c.where(c.equal(u, Infinity), u, value));
}

function expm1(x: Expr): Expr {
  const u = c.exp(x);
  const less = c.sub(u, 1);
  const value = c.mul(less, c.div(x, c.log(u)));
  const plain = c.logicalOr(c.equal(u, Infinity), c.equal(less, -1));
  return c.where(c.equal(u, 1), x, c.where(plain, less, value));
}

function tanh(x: Expr): Expr {
  const a = c.abs(x);
  const z = c.mul(x, x);
  const p = polynomial(
    z,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 0.133314422036, -0.333332819422],
  );
  const small = c.add(c.mul(c.mul(p, z), x), x);
  const large = c.sub(1, c.div(constant(2, "f32"), c.add(c.exp(c.add(a, a)), 1)));
  return c.where(c.less(a, 0.625), small, c.where(c.less(x, 0), c.neg(large), large));
}

function sigmoid(x: Expr): Expr {
  return c.div(constant(1, "f32"), c.add(c.exp(c.neg(x)), 1));
}

function erf(x: Expr): Expr {
  const a = c.abs(x);
  const small = c.mul(
    x,
    polynomial(c.mul(x, x), [
      ...[7.853861353153693e-5, -8.010193625184903e-4, 5.188327685732524e-3, -2.685381193529856e-2],
      ...[0.1128358514861418, -0.37612625824233, 1.12837916572671],
    ]),
  );
  const q = c.div(constant(1, "f32"), a);
  const y = c.mul(q, q);
  const near = polynomial(y, [
    ...[
      2.326819970068386e-2, -0.1387039388740657, 0.3687424674597105, -0.5824733027278666, 0.6210004621745983,
    ],
    ...[-0.4944515323274145, 0.3404879937665872, -0.2741127028184656, 0.5638259427386472],
  ]);
  const far = polynomial(y, [
    ...[-10.47766399936249, 12.97719955372516, -7.495518717768503, 2.921019019210786, -1.0152652792027],
    ...[0.4218463358204948, -0.2820767439740514, 0.5641895067754075],
  ]);
  const tail = c.mul(c.mul(c.exp(c.neg(c.mul(a, a))), q), c.where(c.less(a, 2), near, far));
  const large = c.sub(1, tail);
  return c.where(c.less(a, 1), small, c.where(c.less(x, 0), c.neg(large), large));
}

const functions: Readonly<Record<string, (x: Expr) => Expr>> = {
  exp,
  log,
  log1p,
  expm1,
  tanh,
  sigmoid,
  erf,
  sin,
  cos,
};

const domains: Readonly<Record<string, (x: Expr) => Expr>> = {
  sin: (x) => c.lessEqual(c.abs(x), MANY_TURNS),
  cos: (x) => c.lessEqual(c.abs(x), MANY_TURNS),
};

/** The function of f32 that computes an operation, if there is one. */
export function functionOf(name: string, operand: DType): ((x: Expr) => Expr) | undefined {
  return operand === "f32" && Object.hasOwn(functions, name) ? functions[name] : undefined;
}

/** Where a function is right, if it is not everywhere. Elsewhere the reference must be asked. */
export function domainOf(name: string): ((x: Expr) => Expr) | undefined {
  return Object.hasOwn(domains, name) ? domains[name] : undefined;
}
