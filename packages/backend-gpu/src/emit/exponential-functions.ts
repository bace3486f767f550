/* Powers, logarithms and hyperbolic functions, by polynomials of the Cephes library (S. Moshier). */

export const exponentialFunctions: Readonly<Record<string, string>> = {
  // 2^n y: the power in two factors, since n may be beyond what one exponent holds.
  scale_2: `fn scale_2(y: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return y * of_bits(u32(half + 127) << 23u) * of_bits(u32(n - half + 127) << 23u);
}`,
  exp_small: `fn exp_small(r: f32) -> f32 {
  var p = 1.98756915e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 0.16666665459f;
  p = p * r + 0.50000001201f;
  return p * (r * r) + r + 1f;
}`,
  exp_f32: `fn exp_f32(x: f32) -> f32 {
  let b = clamp(x, -104f, 89f);
  let n = round(b * 1.4426950408889634f);
  let r = (b - n * 0.693359375f) - n * -2.12194440e-4f;
  return select(scale_2(exp_small(r), i32(n)), x, is_nan(x));
}`,
  exp2_f32: `fn exp2_f32(x: f32) -> f32 {
  let b = clamp(x, -151f, 129f);
  let n = round(b);
  return select(scale_2(exp_small((b - n) * 0.6931471805599453f), i32(n)), x, is_nan(x));
}`,
  /** The logarithm in two parts, of a positive finite number: what is added last, and what it loses. */
  log_parts: `fn log_parts(x: f32) -> vec2<f32> {
  let tiny = x < 1.17549435e-38f;
  let word = bitcast<u32>(select(x, x * 8388608f, tiny));
  let mantissa = of_bits((word & 0x7fffffu) | 0x3f000000u);
  let low = mantissa < 0.7071067811865476f;
  let f = select(mantissa, mantissa + mantissa, low) - 1f;
  let e = f32(i32(word >> 23u) - 126 - select(0, 1, low) - select(0, 23, tiny));
  let square = f * f;
  var p = 7.0376836292e-2f;
  p = p * f - 0.115146103f;
  p = p * f + 0.116769987f;
  p = p * f - 0.12420140846f;
  p = p * f + 0.14249322787f;
  p = p * f - 0.16668057665f;
  p = p * f + 0.20000714765f;
  p = p * f - 0.24999993993f;
  p = p * f + 0.33333331174f;
  let rest = p * f * square + e * -2.12194440e-4f - square * 0.5f;
  let high = e * 0.693359375f;
  let sum = f + high;
  let lost = select(f - (sum - high), high - (sum - f), abs(f) > abs(high));
  return vec2<f32>(sum, lost + rest);
}`,
  log_f32: `fn log_f32(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits == 0x7f800000u) { return x; }
  if ((bits & 0x7fffffffu) == 0u) { return -inf(); }
  if (bits > 0x7f800000u) { return nan(); }
  let parts = log_parts(x);
  return parts.x + parts.y;
}`,
  log2_f32: `fn log2_f32(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // Powers of two exactly.
  if ((bits & 0x7fffffu) == 0u && bits != 0u && bits < 0x7f800000u) { return f32(i32(bits >> 23u) - 127); }
  return log_f32(x) * 1.4426950408889634f;
}`,
  // What rounding u loses, the quotient gives back (Kahan).
  log1p_f32: `fn log1p_f32(x: f32) -> f32 {
  let u = 1f + x;
  if (u == 1f || bitcast<u32>(u) == 0x7f800000u || is_nan(x)) { return select(x, u, bitcast<u32>(u) == 0x7f800000u); }
  return log_f32(u) * (x / (u - 1f));
}`,
  expm1_f32: `fn expm1_f32(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let u = exp_f32(x);
  if (u == 1f) { return x; }
  let less = u - 1f;
  if (less == -1f || is_inf(u)) { return less; }
  return less * (x / log_f32(u));
}`,
  /** Whole exponents by squaring; others as exp(b log a), the product with what it loses. */
  pow_f32: `fn pow_f32(a: f32, b: f32) -> f32 {
  if (eq_f32(a, 1f) || is_zero(b)) { return 1f; }
  if (is_nan(a) || is_nan(b)) { return nan(); }
  let base = abs(a);
  if (is_inf(b)) {
    if (base == 1f) { return 1f; }
    return select(0f, inf(), (base > 1f) == (b > 0f));
  }
  let magnitude = abs(b);
  let whole = magnitude >= 8388608f || floor(magnitude) == magnitude;
  let odd = whole && magnitude < 16777216f && (u32(min(magnitude, 16777216f)) & 1u) == 1u;
  let flips = is_negative(a) && odd;
  if (is_zero(a)) { return with_sign(select(0f, inf(), b < 0f), select(1f, -1f, flips)); }
  if (is_inf(a)) { return with_sign(select(inf(), 0f, b < 0f), select(1f, -1f, flips)); }
  if (is_negative(a) && !whole) { return nan(); }
  var result = 1f;
  if (whole && magnitude <= 64f) {
    var square = base;
    var left = u32(magnitude);
    while (left != 0u) {
      if ((left & 1u) == 1u) { result = result * square; }
      left = left >> 1u;
      square = square * square;
    }
    if (b < 0f) { result = 1f / result; }
  }
  if (!whole || magnitude > 64f || !is_finite(result) || result < 1e-30f) {
    let l = log_parts(base);
    let sum = l.x + l.y;
    let product = b * sum;
    let lost = fma(b, sum, -product) + b * ((l.x - sum) + l.y);
    let bounded = clamp(product, -104f, 89f);
    result = exp_f32(bounded) * (1f + select(0f, lost, bounded == product));
  }
  return select(result, -result, flips);
}`,
  logaddexp_f32: `fn logaddexp_f32(a: f32, b: f32) -> f32 {
  if (is_nan(a) || is_nan(b)) { return nan(); }
  if (a == b) { return a + 0.6931471805599453f; }
  return max(a, b) + log1p_f32(exp_f32(-abs(a - b)));
}`,
  sigmoid_f32: `fn sigmoid_f32(x: f32) -> f32 {
  let e = exp_f32(-abs(x));
  return select(1f, e, x < 0f) / (1f + e);
}`,
  sinh_f32: `fn sinh_f32(x: f32) -> f32 {
  let a = abs(x);
  if (a > 80f) {
    let half = exp_f32(a * 0.5f);
    return with_sign((0.5f * half) * half, x);
  }
  if (is_nan(x)) { return x; }
  let e = expm1_f32(a);
  return with_sign(0.5f * (e + e / (e + 1f)), x);
}`,
  cosh_f32: `fn cosh_f32(x: f32) -> f32 {
  let a = abs(x);
  if (a > 80f) {
    let half = exp_f32(a * 0.5f);
    return (0.5f * half) * half;
  }
  let e = exp_f32(a);
  return 0.5f * (e + 1f / e);
}`,
  tanh_f32: `fn tanh_f32(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.625f) {
    let z = x * x;
    var p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 0.133314422036f;
    p = p * z - 0.333332819422f;
    return p * z * x + x;
  }
  if (is_nan(x)) { return x; }
  let e = exp_f32(min(a, 20f) * 2f);
  return with_sign(1f - 2f / (e + 1f), x);
}`,
  asinh_f32: `fn asinh_f32(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x)) { return x; }
  if (a > 1e4f) { return with_sign(log_f32(a) + 0.6931471805599453f, x); }
  let square = a * a;
  return with_sign(log1p_f32(a + square / (1f + sqrt(square + 1f))), x);
}`,
  acosh_f32: `fn acosh_f32(x: f32) -> f32 {
  if (!(x >= 1f) || is_nan(x)) { return nan(); }
  if (x > 1e4f) { return log_f32(x) + 0.6931471805599453f; }
  let t = x - 1f;
  return log1p_f32(t + sqrt(2f * t + t * t));
}`,
  atanh_f32: `fn atanh_f32(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x) || a > 1f) { return nan(); }
  if (a == 1f) { return with_sign(inf(), x); }
  return with_sign(0.5f * log1p_f32(2f * a / (1f - a)), x);
}`,
};
