/* The logarithm of the gamma function, its derivatives, and the zeta function that they need, in float64. */

/** `log |Gamma(x)|`; Infinity at 0 and the negative whole numbers. About 1e-15 relative for positive x. */
export function lgamma(x: number): number {
  if (Number.isNaN(x) || Math.abs(x) === Infinity) return Math.abs(x);
  if (x <= 0 && Number.isInteger(x)) return Infinity;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(sinPi(x))) - lgamma(1 - x);
  if (x < 1.5) return lgammaAround2(x - 1) - Math.log(x);
  if (x >= 10) {
    const correction = series(1 / (x * x), (k) => 1 / (2 * k * (2 * k - 1))) * x;
    return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + correction;
  }
  let rest = x;
  let product = 1;
  while (rest > 2.5) product *= --rest;
  return lgammaAround2(rest - 2) + Math.log(product);
}

/** `log Gamma(2 + z)` by its Taylor series, for |z| <= 1/2: exact to the last digits also near the zero. */
function lgammaAround2(z: number): number {
  for (let k = coefficients.length; k < 30; k++) coefficients.push(k < 2 ? 0 : zeta(k, 2) / k);
  // The sum of (zeta(k) - 1) / k (-z)^(k - 1).
  const sum = coefficients.reduceRight((above, value, k) => (k < 2 ? above : -z * (above + value)), 0);
  return z * (1 - EULER - sum);
}

/** Filled when first used. */
const coefficients: number[] = [];

const EULER = 0.5772156649015329;

/** The derivative of `lgamma`. -Infinity at 0 (Infinity at -0), NaN at the negative whole numbers. */
export function digamma(x: number): number {
  if (x === 0) return -1 / x;
  if (x === Infinity) return x;
  if (x < 0) return Number.isInteger(x) ? Number.NaN : digamma(1 - x) - (Math.PI * cosPi(x)) / sinPi(x);
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += 1 / at;
  return Math.log(at) - 0.5 / at - series(1 / (at * at), (k) => 1 / (2 * k)) - shift;
}

/**
 * The n-th derivative of `digamma`; the order is rounded, NaN if it is below 0. At a pole it is Infinity, or NaN if the
 * sides differ.
 */
export function polygamma(x: number, order: number): number {
  const n = Math.round(order);
  if (n === 0) return digamma(x);
  if (!(n > 0) || Number.isNaN(x)) return Number.NaN;
  const sign = n % 2 === 1 ? 1 : -1;
  if (x === Infinity) return 0;
  if (x > 0) return sign * Math.exp(lgamma(n + 1)) * zeta(n + 1, x);
  if (Number.isInteger(x)) return sign > 0 ? Infinity : Number.NaN;
  // Gamma(171) is the last that a float64 holds.
  if (n > 170) return Number.NaN;
  return -sign * polygamma(1 - x, n) - Math.PI ** (n + 1) * cotangentDerivative(n, cosPi(x) / sinPi(x));
}

/** The n-th derivative of cot, a polynomial of c = cot: each is -(1 + c^2) times the one before, derived by c. */
function cotangentDerivative(n: number, c: number): number {
  let powers = [0, 1];
  for (let k = 0; k < n; k++) {
    const next = new Array<number>(powers.length + 1).fill(0);
    powers.forEach((factor, power) => {
      if (power === 0) return;
      next[power - 1] = (next[power - 1] as number) - power * factor;
      next[power + 1] = (next[power + 1] as number) - power * factor;
    });
    powers = next;
  }
  return powers.reduceRight((sum, factor) => sum * c + factor, 0);
}

/** Hurwitz's zeta function, the sum of (q + k)^-s over k >= 0, for s > 1 and q > 0 (Euler and Maclaurin's formula). */
function zeta(s: number, q: number): number {
  let sum = 0;
  let at = q;
  for (let k = 0; k < 10; k++) sum += (at++) ** -s;
  // s (s + 1) .. (s + 2k - 2) / (2k)!
  let factor = s / 2;
  const tail = series(1 / (at * at), (k) => {
    const term = factor;
    factor *= ((s + 2 * k - 1) * (s + 2 * k)) / ((2 * k + 1) * (2 * k + 2));
    return term;
  });
  return sum + at ** -s * (at / (s - 1) + 0.5 + tail * at);
}

/** The sum of B(2k) f(k) t^k, as far as it needs to be for t <= 1/100. */
function series(t: number, f: (k: number) => number): number {
  let power = 1;
  let sum = 0;
  BERNOULLI.forEach((b, i) => {
    power *= t;
    sum += b * f(i + 1) * power;
  });
  return sum;
}

/** B(2), B(4), .. */
const BERNOULLI = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
];

/** sin(pi x), exact at whole numbers. */
function sinPi(x: number): number {
  const rest = x - 2 * Math.round(x / 2);
  return Number.isInteger(rest) ? 0 : Math.sin(Math.PI * rest);
}

function cosPi(x: number): number {
  return sinPi(x + 0.5);
}
