/* Exponentials, logarithms and hyperbolic functions, in the language of `functions.ts`. */

export const exponentialFunctions: Readonly<Record<string, string>> = {
  exp_small: `float exp_small(float r) {
  float p = 1.98756915e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 0.16666665459;
  p = p * r + 0.50000001201;
  return p * (r * r) + r + 1.0;
}`,
  exp_f: `float exp_f(float x) {
  if (is_nan(x)) { return x; }
  if (x < -104.0) { return 0.0; }
  if (x > 89.0) { return inf(); }
  float n = floor(x * 1.4426950408889634 + 0.5);
  return scale_2(exp_small((x - n * 0.693359375) - n * -2.12194440e-4), n);
}`,
  exp2_f: `float exp2_f(float x) {
  if (is_nan(x)) { return x; }
  if (x < -151.0) { return 0.0; }
  if (x > 129.0) { return inf(); }
  float n = floor(x + 0.5);
  return scale_2(exp_small((x - n) * 0.6931471805599453), n);
}`,
  /** The logarithm of a positive finite number, in two parts: the sum, and what is lost in it. */
  log_part: `float log_part(float number, float which) {
  bool tiny = number < 1.1754943508222875e-38;
  float x = tiny ? number * 8388608.0 : number;
  float e = exponent_of(x) - (tiny ? 23.0 : 0.0);
  float m = mantissa_of(x);
  if (m > 1.4142135623730951) { m = m * 0.5; e = e + 1.0; }
  float f = m - 1.0;
  float square = f * f;
  float p = 7.0376836292e-2;
  p = p * f - 0.115146103;
  p = p * f + 0.116769987;
  p = p * f - 0.12420140846;
  p = p * f + 0.14249322787;
  p = p * f - 0.16668057665;
  p = p * f + 0.20000714765;
  p = p * f - 0.24999993993;
  p = p * f + 0.33333331174;
  float rest = p * f * square + e * -2.12194440e-4 - square * 0.5;
  float high = e * 0.693359375;
  float sum = f + high;
  float lost = abs(f) > abs(high) ? high - (sum - f) : f - (sum - high);
  return which == 0.0 ? sum : lost + rest;
}`,
  log_f: `float log_f(float x) {
  if (is_nan(x)) { return x; }
  if (is_zero(x)) { return neg(inf()); }
  if (is_negative(x)) { return nan(); }
  if (is_inf(x)) { return x; }
  return log_part(x, 0.0) + log_part(x, 1.0);
}`,
  log2_f: `float log2_f(float x) {
  // Powers of two exactly.
  if (x > 1.1754943508222875e-38 && is_finite(x) && mantissa_of(x) == 1.0) { return exponent_of(x); }
  return log_f(x) * 1.4426950408889634;
}`,
  // What rounding u loses, the quotient gives back (Kahan).
  log1p_f: `float log1p_f(float x) {
  if (is_nan(x)) { return x; }
  float u = 1.0 + x;
  if (is_inf(u)) { return u > 0.0 ? u : nan(); }
  if (u == 1.0) { return x; }
  return log_f(u) * (is_zero(u) ? 1.0 : x / (u - 1.0));
}`,
  expm1_f: `float expm1_f(float x) {
  if (is_nan(x)) { return x; }
  float u = exp_f(x);
  if (u == 1.0) { return x; }
  float less = u - 1.0;
  if (less == -1.0 || is_inf(u)) { return less; }
  return less * (x / log_f(u));
}`,
  /** Whole exponents by squaring; others as exp(b log a), the product with what it loses (Dekker). */
  pow_f: `float pow_f(float a, float b) {
  if (is_zero(b)) { return 1.0; }
  if (is_nan(a) || is_nan(b)) { return !is_nan(a) && a == 1.0 ? 1.0 : nan(); }
  if (a == 1.0) { return 1.0; }
  float base = abs(a);
  if (is_inf(b)) { return base == 1.0 ? 1.0 : (base > 1.0) == (b > 0.0) ? inf() : 0.0; }
  float magnitude = abs(b);
  bool whole = magnitude >= 8388608.0 || floor(magnitude) == magnitude;
  bool odd = whole && magnitude < 16777216.0 && imod(magnitude, 2.0) == 1.0;
  bool flips = is_negative(a) && odd;
  if (is_zero(a)) { return with_sign(b < 0.0 ? inf() : 0.0, flips ? -1.0 : 1.0); }
  if (is_inf(a)) { return with_sign(b < 0.0 ? 0.0 : inf(), flips ? -1.0 : 1.0); }
  if (is_negative(a) && !whole) { return nan(); }
  float result = 1.0;
  if (whole && magnitude <= 64.0) {
    float square = base;
    float left = magnitude;
    while (left > 0.0) {
      if (imod(left, 2.0) == 1.0) { result = result * square; }
      left = floor(left * 0.5);
      square = square * square;
    }
    if (b < 0.0) { result = 1.0 / result; }
  }
  if (!whole || magnitude > 64.0 || !is_finite(result) || result < 1e-30) {
    float head = log_part(base, 0.0);
    float rest = log_part(base, 1.0);
    float sum = head + rest;
    float product = b * sum;
    float bh = high_half(b);
    float sh = high_half(sum);
    float bl = b - bh;
    float sl = sum - sh;
    float lost = (((bh * sh - product) + bh * sl) + bl * sh) + bl * sl + b * ((head - sum) + rest);
    float bounded = clamp(product, -104.0, 89.0);
    result = exp_f(bounded) * (bounded == product ? 1.0 + lost : 1.0);
  }
  return flips ? -result : result;
}`,
  logaddexp_f: `float logaddexp_f(float a, float b) {
  if (is_nan(a) || is_nan(b)) { return nan(); }
  if (a == b) { return a + 0.6931471805599453; }
  return max(a, b) + log1p_f(exp_f(-abs(a - b)));
}`,
  sigmoid_f: `float sigmoid_f(float x) {
  float e = exp_f(-abs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}`,
  sinh_f: `float sinh_f(float x) {
  if (is_nan(x)) { return x; }
  float a = abs(x);
  if (a > 80.0) {
    float part = exp_f(a * 0.5);
    return with_sign((0.5 * part) * part, x);
  }
  float e = expm1_f(a);
  return with_sign(0.5 * (e + e / (e + 1.0)), x);
}`,
  cosh_f: `float cosh_f(float x) {
  float a = abs(x);
  if (a > 80.0) {
    float part = exp_f(a * 0.5);
    return (0.5 * part) * part;
  }
  float e = exp_f(a);
  return 0.5 * (e + 1.0 / e);
}`,
  tanh_f: `float tanh_f(float x) {
  if (is_nan(x)) { return x; }
  float a = abs(x);
  if (a < 0.625) {
    float z = x * x;
    float p = -5.70498872745e-3;
    p = p * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 0.133314422036;
    p = p * z - 0.333332819422;
    return p * z * x + x;
  }
  float e = exp_f(min(a, 20.0) * 2.0);
  return with_sign(1.0 - 2.0 / (e + 1.0), x);
}`,
  asinh_f: `float asinh_f(float x) {
  if (is_nan(x)) { return x; }
  float a = abs(x);
  if (a > 1e4) { return with_sign(log_f(a) + 0.6931471805599453, x); }
  float square = a * a;
  return with_sign(log1p_f(a + square / (1.0 + sqrt(square + 1.0))), x);
}`,
  acosh_f: `float acosh_f(float x) {
  if (is_nan(x) || x < 1.0) { return nan(); }
  if (x > 1e4) { return log_f(x) + 0.6931471805599453; }
  float t = x - 1.0;
  return log1p_f(t + sqrt(2.0 * t + t * t));
}`,
  atanh_f: `float atanh_f(float x) {
  float a = abs(x);
  if (is_nan(x) || a > 1.0) { return nan(); }
  if (a == 1.0) { return with_sign(inf(), x); }
  return with_sign(0.5 * log1p_f(2.0 * a / (1.0 - a)), x);
}`,
};
