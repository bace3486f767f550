/* Scalar functions that Math does not have, in float64. They favour accuracy over speed: they are the reference. */

/** The remainder with the divisor's sign; NaN for a divisor of 0. */
export function floorRemainder(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

/** The nearest whole number, halves to the even one; the sign of zero is x's. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest > 0.5 ? Math.ceil(x) : rest < 0.5 ? below : x;
  const even = below % 2 === 0 ? below : Math.ceil(x);
  return even === 0 && x < 0 ? -0 : even;
}

/** `1 / (1 + exp(-x))`, without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** `log(1 + exp(x))`, without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** `log(exp(a) + exp(b))`, without overflow; equal infinities give themselves. */
export function logAddExp(a: number, b: number): number {
  if (a === b) return a + Math.LN2;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/**
 * The error function, `2 / sqrt(pi) * integral of exp(-t^2) from 0 to x`, to about 1e-15 relative.
 *
 * Below 2 the series `2 / sqrt(pi) * exp(-x^2) * sum 2^n x^(2n+1) / (2n+1)!!` (Abramowitz and Stegun 7.1.6, all terms
 * positive), above it `1 - erfc`.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a >= 2) return Math.sign(x) * (1 - erfcTail(a));
  return Math.sign(x) * erfSeries(a);
}

/** `1 - erf(x)`, accurate where it is tiny. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x >= 2) return erfcTail(x);
  if (x <= -2) return 2 - erfcTail(-x);
  return x < 0 ? 1 + erfSeries(-x) : 1 - erfSeries(x);
}

function erfSeries(a: number): number {
  let term = a;
  let sum = a;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
}

/** erfc for a >= 2 by its continued fraction (Abramowitz and Stegun 7.1.14), evaluated from the far end. */
function erfcTail(a: number): number {
  if (a > 27.3) return 0;
  let fraction = 0;
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (a + fraction);
  return Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
}

/** The inverse of `erf`: from Winitzki's approximation by Halley's method. */
export function erfinv(x: number): number {
  const a = Math.abs(x);
  if (!(a < 1)) return a === 1 ? x * Infinity : Number.NaN;
  const logarithm = Math.log1p(-a * a);
  const half = 2 / (Math.PI * 0.147) + logarithm / 2;
  let y = Math.sqrt(Math.sqrt(half * half - logarithm / 0.147) - half);
  for (let step = 0; step < 3; step++) {
    // Near 1, by what is left to 1.
    const error = a < 0.5 ? erf(y) - a : 1 - a - erfc(y);
    const newton = (error * Math.sqrt(Math.PI) * Math.exp(y * y)) / 2;
    y -= newton / (1 + y * newton);
  }
  return x < 0 || Object.is(x, -0) ? -y : y;
}

/** `sin(pi x) / (pi x)`, 1 at 0. */
export function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
