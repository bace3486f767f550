import { calculus as c, type Expr } from "@gradus/core";
import { formatOf, instruction, masked, number, shifted, withSign } from "./format.js";
import { polynomial, series } from "./sums.js";

/** Polynomial of the Cephes library (S. Moshier), for f32. */
const F32_FACTORS = [
  ...[7.0376836292e-2, -0.115146103, 0.116769987, -0.12420140846, 0.14249322787, -0.16668057665],
  ...[0.20000714765, -0.24999993993, 0.33333331174],
];

/** A positive number as `2^e (1 + f)`, with 1 + f between the roots of 1/2 and 2. */
export function fractionOf(x: Expr): { readonly e: Expr; readonly f: Expr } {
  const { bits, bias, least, magic, unit } = formatOf(x);
  const tiny = c.less(x, least);
  const normal = c.where(tiny, c.mul(x, magic), x);
  const mantissa = instruction("bitsOr", masked(normal, least - unit), 0.5);
  const low = c.less(mantissa, Math.SQRT1_2);
  const f = c.sub(c.where(low, c.add(mantissa, mantissa), mantissa), 1);
  const exponent = c.sub(instruction("bitsOr", shifted(normal, "Right", bits), magic), magic + bias - 1);
  const less = c.add(c.where(low, number(1, x), 0), c.where(tiny, number(bits, x), 0));
  return { e: c.sub(exponent, less), f };
}

/** `log(1 + f) - f`. */
function rest(f: Expr): Expr {
  const half = c.mul(c.mul(f, f), 0.5);
  if (f.dtype === "f32") return c.sub(c.mul(c.mul(polynomial(f, F32_FACTORS), f), c.mul(f, f)), half);
  // log(1 + f) = 2 artanh(s) = 2 s + 2 s^3 / 3 + .., where 2 s = f - s f.
  const s = c.div(f, c.add(f, 2));
  const z = c.mul(s, s);
  const odd = c.mul(
    z,
    series(z, 11, (k) => 2 / (2 * k + 3)),
  );
  return c.sub(c.mul(s, c.add(half, odd)), half);
}

/** What `value` is for positive numbers, and at and beyond the ends. */
function logarithm(x: Expr, value: Expr): Expr {
  const edge = c.where(c.equal(x, 0), number(-Infinity, x), Number.NaN);
  return c.where(c.greater(x, 0), c.where(c.equal(x, Infinity), x, value), edge);
}

export function log(x: Expr): Expr {
  const { e, f } = fractionOf(x);
  const [high, low] = formatOf(x).ln2;
  return logarithm(x, c.add(c.add(f, c.add(rest(f), c.mul(e, low))), c.mul(e, high)));
}

export function log2(x: Expr): Expr {
  const { e, f } = fractionOf(x);
  return logarithm(x, c.add(e, c.mul(c.add(f, rest(f)), Math.LOG2E)));
}

/** log10(2), the first part of which has few bits. */
const LOG10_2 = [0.3010299956636118, 3.694239077158931e-13] as const;

export function log10(x: Expr): Expr {
  const { e, f } = fractionOf(x);
  const low = c.add(c.mul(e, LOG10_2[1]), c.mul(c.add(f, rest(f)), Math.LOG10E));
  return logarithm(x, c.add(low, c.mul(e, LOG10_2[0])));
}

/** `log u` and what rounding u = 1 + x has lost, relative to it. */
export function log1p(x: Expr): Expr {
  const u = c.add(x, 1);
  const lost = c.div(c.sub(x, c.sub(u, 1)), u);
  const value = c.add(c.log(u), c.where(c.less(c.abs(lost), 1), lost, 0));
  return c.where(c.equal(u, 1), x, value);
}

/** From here on the square of a number outweighs 1. */
const LARGE = 2 ** 28;

export function asinh(x: Expr): Expr {
  const a = c.abs(x);
  const square = c.mul(a, a);
  const value = c.log1p(c.add(a, c.div(square, c.add(c.sqrt(c.add(square, 1)), 1))));
  return withSign(c.where(c.greater(a, LARGE), c.add(c.log(a), Math.LN2), value), x);
}

export function acosh(x: Expr): Expr {
  const t = c.sub(x, 1);
  const value = c.log1p(c.add(t, c.sqrt(c.mul(t, c.add(x, 1)))));
  const inside = c.where(c.greater(x, LARGE), c.add(c.log(x), Math.LN2), value);
  return c.where(c.less(x, 1), Number.NaN, inside);
}

export function atanh(x: Expr): Expr {
  const a = c.abs(x);
  return withSign(c.mul(c.log1p(c.div(c.add(a, a), c.sub(1, a))), 0.5), x);
}
