/*
 * The logarithm of the gamma function and its derivatives, after the float64 reference in `@gradus/core`: a Taylor series around 2,
 * Stirling's series above, Euler and Maclaurin's formula for the derivatives, reflections below 0.
 */

/** (zeta(k) - 1) / k for k = 2, 3, ..: the coefficients of log Gamma(2 + z). */
const aroundTwo = [
  ...[0.32246703346793787, 0.06735230105460256, 0.020580808427825063, 0.007385551028675076],
  ...[0.002890510330741551, 0.0011927539117032608, 0.0005096695247430426, 0.00022315475845357936],
  ...[9.945751278180861e-5, 4.4926236738133156e-5, 2.0507212775670674e-5, 9.439488275268395e-6],
];

const series = aroundTwo
  .map((value, i) => (i % 2 === 0 ? value : -value))
  .reverse()
  .map((value) => `  p = p * z + ${value};`)
  .join("\n");

export const gammaFunctions: Readonly<Record<string, string>> = {
  /** sin(pi x), exact at whole numbers. */
  sin_pi: `float sin_pi(float x) {
  float rest = x - 2.0 * round_even(x * 0.5);
  float a = abs(rest);
  if (a == 0.0 || a == 1.0) { return 0.0; }
  // Nearest to a whole number, the angle is smallest and most exact.
  return with_sign(sine_of(3.1415926535897932 * (a > 0.5 ? 1.0 - a : a), 0.0), rest);
}`,
  cos_pi: `float cos_pi(float x) {
  float a = abs(x - 2.0 * round_even(x * 0.5));
  float c = sine_of(3.1415926535897932 * abs(a > 0.5 ? a - 0.5 : 0.5 - a), 0.0);
  return a > 0.5 ? -c : c;
}`,
  lgamma_around_2: `float lgamma_around_2(float z) {
  float p = 0.0;
${series}
  return z * (0.42278433509846713 + z * p);
}`,
  lgamma_positive: `float lgamma_positive(float x) {
  if (x < 0.5) { return lgamma_around_2(x) - log1p_f(x) - log_f(x); }
  if (x < 1.5) { return lgamma_around_2(x - 1.0) - log_f(x); }
  if (x >= 10.0) {
    float t = 1.0 / x;
    float correction = t * (0.08333333333 - t * t * (0.002777777778 - t * t * 7.936507937e-4));
    return (x - 0.5) * (log_f(x) - 1.0) + (0.41893853320467274 + correction);
  }
  float rest = x;
  float product = 1.0;
  while (rest > 2.5) { rest = rest - 1.0; product = product * rest; }
  return lgamma_around_2(rest - 2.0) + log_f(product);
}`,
  lgamma_f: `float lgamma_f(float x) {
  if (!is_finite(x)) { return abs(x); }
  if (x > 0.0) { return lgamma_positive(x); }
  float s = abs(sin_pi(x));
  if (s == 0.0) { return inf(); }
  // By Gamma(1 + x) / x: the reflection would lose what x adds to 1.
  if (x > -0.5) { return lgamma_positive(1.0 + x) - log_f(-x); }
  return log_f(3.1415926535897932 / s) - lgamma_positive(1.0 - x);
}`,
  digamma_positive: `float digamma_positive(float x) {
  float shift = 0.0;
  float at = x;
  while (at < 6.0) { shift = shift + 1.0 / at; at = at + 1.0; }
  float t = 1.0 / (at * at);
  float tail = t * (0.08333333333 - t * (0.008333333333 - t * (0.003968253968 - t * 0.004166666667)));
  return log_f(at) - 0.5 / at - tail - shift;
}`,
  digamma_f: `float digamma_f(float x) {
  if (is_nan(x)) { return x; }
  if (is_zero(x)) { return with_sign(inf(), is_negative(x) ? 1.0 : -1.0); }
  if (is_inf(x)) { return is_negative(x) ? nan() : x; }
  if (x > 0.0) { return digamma_positive(x); }
  float s = sin_pi(x);
  if (s == 0.0) { return nan(); }
  return digamma_positive(1.0 - x) - 3.1415926535897932 * cos_pi(x) / s;
}`,
  /** n! q^-(n + 1), without the overflow of either. */
  factorial_power: `float factorial_power(float n, float q) {
  float t = 1.0 / q;
  float product = t;
  for (float i = 1.0; i <= n; i = i + 1.0) { product = product * (i * t); }
  return product;
}`,
  /** n! zeta(n + 1, q) for q > 0, n >= 1. */
  factorial_zeta: `float factorial_zeta(float n, float q) {
  float sum = 0.0;
  float at = q;
  for (float k = 0.0; k < 10.0; k = k + 1.0) { sum = sum + factorial_power(n, at); at = at + 1.0; }
  float s = n + 1.0;
  float t = 1.0 / (at * at);
  float factor = s * 0.5;
  float tail = factor * 0.16666666667 * t;
  factor = factor * ((s + 1.0) * (s + 2.0) / 12.0);
  tail = tail + factor * -0.03333333333 * t * t;
  factor = factor * ((s + 3.0) * (s + 4.0) / 30.0);
  tail = tail + factor * 0.02380952381 * t * t * t;
  factor = factor * ((s + 5.0) * (s + 6.0) / 56.0);
  tail = tail + factor * -0.03333333333 * t * t * t * t;
  return sum + factorial_power(n, at) * (at / (s - 1.0) + 0.5 + tail * at);
}`,
  polygamma_f: `float polygamma_f(float x, float order) {
  if (is_nan(order)) { return order; }
  float rounded = floor(order + 0.5);
  if (rounded == 0.0) { return digamma_f(x); }
  if (rounded < 0.0 || is_nan(x)) { return nan(); }
  float n = min(rounded, 1000.0);
  bool odd = imod(n, 2.0) == 1.0;
  if (is_inf(x)) { return x > 0.0 ? 0.0 : nan(); }
  if (x > 0.0) {
    float value = factorial_zeta(n, x);
    return odd ? value : -value;
  }
  float s = sin_pi(x);
  if (s == 0.0) { return odd ? inf() : nan(); }
  // Beyond that n! is not in f32.
  if (n > 34.0) { return nan(); }
  float mirrored = factorial_zeta(n, 1.0 - x);
  float power = 1.0;
  for (float i = 0.0; i <= n; i = i + 1.0) { power = power * 3.1415926535897932; }
  return -mirrored - power * cot_derivative(n, cos_pi(x) / s);
}`,
};
