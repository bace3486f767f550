import { calculus as c, type Expr } from "@gradus/core";
import { atLeast, atMost, formatOf, instruction, number, shifted, withSign } from "./format.js";
import { factorial, polynomial, series } from "./sums.js";

/** Polynomial of the Cephes library (S. Moshier), for f32. */
const F32_FACTORS = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 0.16666665459, 0.50000001201,
];

/** `e^r - 1` for |r| <= ln 2 / 2. */
function nearZero(r: Expr): Expr {
  const p = r.dtype === "f32" ? polynomial(r, F32_FACTORS) : series(r, 12, (k) => 1 / factorial(k + 2));
  return c.add(c.mul(p, c.mul(r, r)), r);
}

/** A number rounded to a whole one: that is in the last bits of `rounded` too, above those of the rounder. */
function wholeOf(x: Expr): { readonly n: Expr; readonly rounded: Expr } {
  const { rounder } = formatOf(x);
  const rounded = c.add(x, rounder);
  return { n: c.sub(rounded, rounder), rounded };
}

/** x as `n ln 2 + r`. */
function reduced(x: Expr): { readonly rounded: Expr; readonly r: Expr } {
  const { ln2 } = formatOf(x);
  const { n, rounded } = wholeOf(c.mul(x, Math.LOG2E));
  return { rounded, r: c.sub(c.sub(x, c.mul(n, ln2[0])), c.mul(n, ln2[1])) };
}

/** `x 2^n`, in two factors, since n may be beyond what one exponent holds. */
function scaled(x: Expr, rounded: Expr): Expr {
  const { bits, bias, rounder } = formatOf(x);
  const both = instruction("bitsSub", rounded, rounder - 2 * bias);
  const half = shifted(both, "Right", 1);
  return c.mul(
    c.mul(x, shifted(half, "Left", bits)),
    shifted(instruction("bitsSub", both, half), "Left", bits),
  );
}

/** `e^(x + rest)`, where the rest is small. */
export function expOfSum(x: Expr, rest?: Expr): Expr {
  const [from, to] = formatOf(x).exponents;
  const { rounded, r } = reduced(atMost(atLeast(x, from), to));
  return scaled(c.add(nearZero(rest === undefined ? r : c.add(r, rest)), 1), rounded);
}

export const exp = (x: Expr): Expr => expOfSum(x);

export function exp2(x: Expr): Expr {
  const { bias, bits } = formatOf(x);
  const bounded = atMost(atLeast(x, -bias - bits - 4), bias + 2);
  const { n, rounded } = wholeOf(bounded);
  return scaled(c.add(nearZero(c.mul(c.sub(bounded, n), Math.LN2)), 1), rounded);
}

/** `2^n (e^r - 1) + 2^n - 1`, by half of the power, which does not overflow. */
export function expm1(x: Expr): Expr {
  const { bits, bias, rounder, exponents } = formatOf(x);
  const { rounded, r } = reduced(atMost(atLeast(x, -50), exponents[1]));
  const half = shifted(instruction("bitsSub", rounded, rounder - bias + 1), "Left", bits);
  const value = c.add(c.mul(nearZero(r), half), c.sub(half, 0.5));
  return c.where(c.less(c.abs(x), 2 ** -(bits + 2)), x, c.add(value, value));
}

export function sigmoid(x: Expr): Expr {
  const e = c.exp(c.neg(c.abs(x)));
  return c.div(c.where(c.less(x, 0), e, 1), c.add(e, 1));
}

export function tanh(x: Expr): Expr {
  const a = c.abs(x);
  if (x.dtype === "f64") {
    const e = c.expm1(atMost(c.add(a, a), 44));
    return withSign(c.div(e, c.add(e, 2)), x);
  }
  const z = c.mul(x, x);
  const p = polynomial(
    z,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 0.133314422036, -0.333332819422],
  );
  const small = c.add(c.mul(c.mul(p, z), x), x);
  const large = c.sub(1, c.div(number(2, x), c.add(c.exp(c.add(a, a)), 1)));
  return withSign(c.where(c.less(a, 0.625), small, large), x);
}

/** Half of `e^a`, which may be less than the greatest number where `e^a` is not. */
function halfExp(a: Expr): Expr {
  const root = c.exp(c.mul(a, 0.5));
  return c.mul(c.mul(root, 0.5), root);
}

const MANY = 700;

export function sinh(x: Expr): Expr {
  const a = c.abs(x);
  const e = c.expm1(a);
  const value = c.mul(c.add(e, c.div(e, c.add(e, 1))), 0.5);
  return withSign(c.where(c.greater(a, MANY), halfExp(a), value), x);
}

export function cosh(x: Expr): Expr {
  const a = c.abs(x);
  const e = c.exp(a);
  return c.where(c.greater(a, MANY), halfExp(a), c.add(c.mul(e, 0.5), c.div(number(0.5, x), e)));
}
