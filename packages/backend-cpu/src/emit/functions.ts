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

/** 2^n r: the power in two factors, since n may be beyond what one exponent holds. */
function exp(x: Expr): Expr {
  const bounded = c.minimum(c.maximum(x, -104), 89);
  const n = operation("round", "f32", c.mul(bounded, Math.LOG2E));
  const r = c.sub(c.sub(bounded, c.mul(n, LN2_HIGH)), c.mul(n, LN2_LOW));
  const p = polynomial(
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 0.16666665459, 0.50000001201],
  );
  const power = cast(n, "i32");
  const half = operation("shiftRight", "i32", power, constant(1, "i32"));
  const two = (k: Expr): Expr => ofBits(c.shiftLeft(c.add(k, 127), 23));
  return c.mul(c.mul(c.add(c.add(c.mul(p, c.mul(r, r)), r), 1), two(half)), two(c.sub(power, half)));
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

const functions: Readonly<Record<string, (x: Expr) => Expr>> = { exp, log, log1p, expm1, tanh, sigmoid, erf };

/** The function of f32 that computes an operation, if there is one. */
export function functionOf(name: string, operand: DType): ((x: Expr) => Expr) | undefined {
  return operand === "f32" && Object.hasOwn(functions, name) ? functions[name] : undefined;
}
