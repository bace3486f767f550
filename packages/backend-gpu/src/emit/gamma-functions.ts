/*
 * The logarithm of the gamma function and its derivatives in WGSL, after the float64 reference in `@gradus/core`: a Taylor
 * series around 2, Stirling's series above, Euler and Maclaurin's formula for the derivatives, reflections below 0.
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
  .map((value) => `  p = p * z + ${value}f;`)
  .join("\n");

export const gammaFunctions: Readonly<Record<string, string>> = {
  /** sin(pi x), exact at whole numbers. */
  sin_pi: `fn sin_pi(x: f32) -> f32 {
  let rest = x - 2f * round(x * 0.5f);
  if (rest == 0f || abs(rest) == 1f) { return 0f; }
  let a = abs(rest);
  // Nearest to a whole number, the angle is smallest and most exact.
  return with_sign(sine_of(3.1415926535897932f * select(a, 1f - a, a > 0.5f), 0u), rest);
}`,
  cos_pi: `fn cos_pi(x: f32) -> f32 {
  let a = abs(x - 2f * round(x * 0.5f));
  let c = sine_of(3.1415926535897932f * abs(select(0.5f - a, a - 0.5f, a > 0.5f)), 0u);
  return select(c, -c, a > 0.5f);
}`,
  lgamma_around_2: `fn lgamma_around_2(z: f32) -> f32 {
  var p = 0f;
${series}
  return z * (0.42278433509846713f + z * p);
}`,
  lgamma_positive: `fn lgamma_positive(x: f32) -> f32 {
  if (x < 0.5f) { return lgamma_around_2(x) - log1p_f32(x) - log_f32(x); }
  if (x < 1.5f) { return lgamma_around_2(x - 1f) - log_f32(x); }
  if (x >= 10f) {
    let t = 1f / x;
    let correction = t * (0.08333333333f - t * t * (0.002777777778f - t * t * 7.936507937e-4f));
    return (x - 0.5f) * (log_f32(x) - 1f) + (0.41893853320467274f + correction);
  }
  var rest = x;
  var product = 1f;
  while (rest > 2.5f) { rest -= 1f; product *= rest; }
  return lgamma_around_2(rest - 2f) + log_f32(product);
}`,
  lgamma_f32: `fn lgamma_f32(x: f32) -> f32 {
  if (!is_finite(x)) { return abs(x); }
  if (x <= 0f) {
    let s = abs(sin_pi(x));
    if (s == 0f) { return inf(); }
    if (x > -0.5f) {
      // By Gamma(1 + x) / x: the reflection would lose what x adds to 1.
      return lgamma_positive(1f + x) - log_f32(-x);
    }
    return log_f32(3.1415926535897932f / s) - lgamma_positive(1f - x);
  }
  return lgamma_positive(x);
}`,
  digamma_positive: `fn digamma_positive(x: f32) -> f32 {
  var shift = 0f;
  var at = x;
  while (at < 6f) { shift += 1f / at; at += 1f; }
  let t = 1f / (at * at);
  let tail = t * (0.08333333333f - t * (0.008333333333f - t * (0.003968253968f - t * 0.004166666667f)));
  return log_f32(at) - 0.5f / at - tail - shift;
}`,
  digamma_f32: `fn digamma_f32(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (is_zero(x)) { return with_sign(inf(), select(-1f, 1f, is_negative(x))); }
  if (is_inf(x)) { return select(x, nan(), is_negative(x)); }
  if (x > 0f) { return digamma_positive(x); }
  let s = sin_pi(x);
  if (s == 0f) { return nan(); }
  return digamma_positive(1f - x) - 3.1415926535897932f * cos_pi(x) / s;
}`,
  /** n! q^-(n + 1), without the overflow of either. */
  factorial_power: `fn factorial_power(n: i32, q: f32) -> f32 {
  let t = 1f / q;
  var product = t;
  for (var i = 1; i <= n; i += 1) { product *= f32(i) * t; }
  return product;
}`,
  /** n! zeta(n + 1, q) for q > 0, n >= 1. */
  factorial_zeta: `fn factorial_zeta(n: i32, q: f32) -> f32 {
  var sum = 0f;
  var at = q;
  for (var k = 0; k < 10; k += 1) { sum += factorial_power(n, at); at += 1f; }
  let s = f32(n + 1);
  let t = 1f / (at * at);
  var factor = s * 0.5f;
  var tail = factor * 0.16666666667f * t;
  factor *= (s + 1f) * (s + 2f) / 12f;
  tail += factor * -0.03333333333f * t * t;
  factor *= (s + 3f) * (s + 4f) / 30f;
  tail += factor * 0.02380952381f * t * t * t;
  factor *= (s + 5f) * (s + 6f) / 56f;
  tail += factor * -0.03333333333f * t * t * t * t;
  return sum + factorial_power(n, at) * (at / (s - 1f) + 0.5f + tail * at);
}`,
  /** The n-th derivative of cot, a polynomial of c = cot: each is -(1 + c^2) times the one before, derived by c. */
  cot_derivative: `fn cot_derivative(n: i32, c: f32) -> f32 {
  var powers: array<f32, 40>;
  for (var i = 0; i < 40; i += 1) { powers[i] = 0f; }
  powers[1] = 1f;
  for (var k = 0; k < n; k += 1) {
    var before = 0f;
    var at = powers[0];
    for (var i = 0; i <= k + 2; i += 1) {
      let after = powers[i + 1];
      powers[i] = -(f32(i + 1) * after + f32(i - 1) * before);
      before = at;
      at = after;
    }
  }
  var sum = 0f;
  for (var i = n + 1; i >= 0; i -= 1) { sum = sum * c + powers[i]; }
  return sum;
}`,
  polygamma_f32: `fn polygamma_f32(x: f32, order: f32) -> f32 {
  let rounded = floor(order + 0.5f);
  if (is_nan(order)) { return order; }
  if (rounded == 0f) { return digamma_f32(x); }
  if (!(rounded > 0f) || is_nan(x)) { return nan(); }
  let n = i32(min(rounded, 1000f));
  let odd = (n & 1) == 1;
  if (bitcast<u32>(x) == 0x7f800000u) { return 0f; }
  if (x > 0f) {
    let value = factorial_zeta(n, x);
    return select(-value, value, odd);
  }
  let s = sin_pi(x);
  if (s == 0f || is_inf(x)) { return select(nan(), inf(), odd && !is_inf(x)); }
  // Beyond that n! is not in f32.
  if (n > 34) { return nan(); }
  let mirrored = factorial_zeta(n, 1f - x);
  var power = 1f;
  for (var i = 0; i <= n; i += 1) { power *= 3.1415926535897932f; }
  return -mirrored - power * cot_derivative(n, cos_pi(x) / s);
}`,
};
