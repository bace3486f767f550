import { gammaFunctions } from "./gamma-functions.js";

/*
 * Functions in WGSL that shaders carry if they need them. WGSL promises neither NaN nor infinity, nor that `exp` is
 * accurate: these look at bits where a comparison may be optimised away, and compute with polynomials (of the Cephes
 * library, S. Moshier, unless said otherwise).
 */

const basic: Readonly<Record<string, string>> = {
  is_nan: `fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`,
  is_inf: `fn is_inf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }`,
  is_finite: `fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`,
  // A call keeps the compiler from evaluating a constant that WGSL refuses.
  of_bits: `fn of_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }`,
  hide_f32: `fn hide_f32(x: f32) -> f32 { return x; }`,
  hide_i32: `fn hide_i32(x: i32) -> i32 { return x; }`,
  nan: `fn nan() -> f32 { return of_bits(0x7fc00000u); }`,
  inf: `fn inf() -> f32 { return of_bits(0x7f800000u); }`,
  with_sign: `fn with_sign(x: f32, sign: f32) -> f32 {
  return of_bits((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}`,
  is_negative: `fn is_negative(x: f32) -> bool { return (bitcast<u32>(x) & 0x80000000u) != 0u; }`,
  is_zero: `fn is_zero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0u; }`,

  eq_f32: `fn eq_f32(a: f32, b: f32) -> bool { return a == b && !is_nan(a) && !is_nan(b); }`,
  ne_f32: `fn ne_f32(a: f32, b: f32) -> bool { return a != b || is_nan(a) || is_nan(b); }`,
  lt_f32: `fn lt_f32(a: f32, b: f32) -> bool { return a < b && !is_nan(a) && !is_nan(b); }`,
  le_f32: `fn le_f32(a: f32, b: f32) -> bool { return a <= b && !is_nan(a) && !is_nan(b); }`,
  max_f32: `fn max_f32(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, is_nan(b)), a, is_nan(a)); }`,
  min_f32: `fn min_f32(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, is_nan(b)), a, is_nan(a)); }`,
  sign_f32: `fn sign_f32(x: f32) -> f32 {
  return select(select(0f, -1f, lt_f32(x, 0f)), 1f, lt_f32(0f, x));
}`,
  relu_f32: `fn relu_f32(x: f32) -> f32 { return select(0f, x, x > 0f || is_nan(x)); }`,
  // The reciprocal of a number beyond 2^126 is denormal, and hardware that divides by it gives 0.
  div_f32: `fn div_f32(a: f32, b: f32) -> f32 {
  let large = abs(b) > 8.507059e37f;
  return select(a, a * 0.0625f, large) / select(b, b * 0.0625f, large);
}`,
  i32_of_f32: `fn i32_of_f32(x: f32) -> i32 {
  let whole = i32(clamp(x, -2147483648f, 2147483520f));
  return select(select(whole, 2147483647, x >= 2147483648f), 0, is_nan(x));
}`,

  ...Object.fromEntries(
    (["argmax", "argmin"] as const).flatMap((op) => {
      const beats = op === "argmax" ? ">" : "<";
      // Of equal ones the first.
      return [
        [
          `beats_${op}_f32`,
          `fn beats_${op}_f32(x: f32, at: i32, best: f32, best_at: i32) -> bool {
  if (is_nan(x)) { return !is_nan(best) || at < best_at; }
  return !is_nan(best) && (x ${beats} best || (x == best && at < best_at));
}`,
        ],
        [
          `beats_${op}_i32`,
          `fn beats_${op}_i32(x: i32, at: i32, best: i32, best_at: i32) -> bool {
  return x ${beats} best || (x == best && at < best_at);
}`,
        ],
      ];
    }),
  ),

  // A number as mantissa and exponent, for products that overflow on the way.
  exponent_of: `fn exponent_of(x: f32) -> i32 {
  let e = (bitcast<u32>(x) >> 23u) & 0xffu;
  return select(i32(e) - 127, 0, e == 0u || e == 255u);
}`,
  mantissa_of: `fn mantissa_of(x: f32) -> f32 {
  let e = (bitcast<u32>(x) >> 23u) & 0xffu;
  return select(of_bits((bitcast<u32>(x) & 0x807fffffu) | 0x3f800000u), x, e == 0u || e == 255u);
}`,

  idiv: `fn idiv(a: i32, b: i32) -> i32 { return select(a / select(b, 1, b == 0), 0, b == 0); }`,
  imod: `fn imod(a: i32, b: i32) -> i32 { return select(a % select(b, 1, b == 0), 0, b == 0); }`,
  remainder_i32: `fn remainder_i32(a: i32, b: i32) -> i32 {
  let r = imod(a, b);
  return select(r, r + b, r != 0 && (r < 0) != (b < 0));
}`,

  /** Exact, as a long division of the mantissas, eight bits at a time. */
  fmod_f32: `fn fmod_f32(a: f32, b: f32) -> f32 {
  if (!is_finite(a) || is_nan(b) || is_zero(b)) { return nan(); }
  let x = bitcast<u32>(a) & 0x7fffffffu;
  let y = bitcast<u32>(b) & 0x7fffffffu;
  if (x < y) { return a; }
  let shift_x = countLeadingZeros(max(x & 0x7fffffu, 1u)) - 8u;
  let shift_y = countLeadingZeros(max(y & 0x7fffffu, 1u)) - 8u;
  var exponent = i32(x >> 23u);
  var to = i32(y >> 23u);
  var m = (x & 0x7fffffu) | 0x800000u;
  var d = (y & 0x7fffffu) | 0x800000u;
  if (exponent == 0) { m = (x & 0x7fffffu) << shift_x; exponent = 1 - i32(shift_x); }
  if (to == 0) { d = (y & 0x7fffffu) << shift_y; to = 1 - i32(shift_y); }
  m = m % d;
  while (exponent > to && m != 0u) {
    let step = min(exponent - to, 8);
    m = (m << u32(step)) % d;
    exponent -= step;
  }
  if (m == 0u) { return with_sign(0f, a); }
  let up = countLeadingZeros(m) - 8u;
  let biased = to - i32(up);
  let bits = select((m << up) >> u32(min(1 - biased, 31)), ((m << up) & 0x7fffffu) | (u32(biased) << 23u), biased > 0);
  return with_sign(of_bits(bits), a);
}`,
  remainder_f32: `fn remainder_f32(a: f32, b: f32) -> f32 {
  let r = fmod_f32(a, b);
  return select(r, r + b, !is_nan(r) && r != 0f && (r < 0f) != (b < 0f));
}`,
};

const exponential: Readonly<Record<string, string>> = {
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

const circular: Readonly<Record<string, string>> = {
  mul_high: `fn mul_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu; let ah = a >> 16u;
  let bl = b & 0xffffu; let bh = b >> 16u;
  let low = al * bl;
  let mid = ah * bl + (low >> 16u);
  let mid2 = al * bh + (mid & 0xffffu);
  return ah * bh + (mid >> 16u) + (mid2 >> 16u);
}`,
  /** The quarter turn that a finite |x| is in, and what is left of it, by the digits of 2/pi (Payne and Hanek). */
  reduce_large: `fn reduce_large(a: f32) -> vec2<f32> {
  let word = bitcast<u32>(a);
  var digits = array<u32, 8>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  let m = ((word & 0x7fffffu) << 8u) | 0x80000000u;
  let exponent = (word >> 23u) - 126u;
  let i = exponent >> 5u;
  let e = exponent & 31u;
  var high = digits[i];
  var mid = digits[i + 1u];
  var low = digits[i + 2u];
  let next = digits[i + 3u];
  if (e != 0u) {
    high = (high << e) | (mid >> (32u - e));
    mid = (mid << e) | (low >> (32u - e));
    low = (low << e) | (next >> (32u - e));
  }
  // The middle 64 bits of m times the digits.
  let carry = mul_high(m, low);
  let l = m * mid;
  let sum_low = l + carry;
  var sum_high = mul_high(m, mid) + m * high + select(0u, 1u, sum_low < l);
  var quarter = sum_high >> 30u;
  sum_high = sum_high & 0x3fffffffu;
  var rest_low = sum_low;
  let negative = (sum_high & 0x20000000u) != 0u;
  if (negative) {
    quarter += 1u;
    // 2^62 less it.
    rest_low = ~sum_low + 1u;
    sum_high = (0x3fffffffu - sum_high) + select(0u, 1u, sum_low == 0u);
  }
  let fraction = f32(sum_high) * 9.313225746154785e-10f + f32(rest_low) * 2.168404344971009e-19f;
  let angle = fraction * 1.5707963267948966f;
  return vec2<f32>(f32(quarter & 3u), select(angle, -angle, negative));
}`,
  /** sin(|x| + turns quarter turns). */
  sine_of: `fn sine_of(a: f32, turns: u32) -> f32 {
  var q = 0u;
  var r = 0f;
  if (a < 10000f) {
    let n = round(a * 0.6366197723675814f);
    r = ((a - n * 1.5703125f) - n * 4.837512969970703125e-4f) - n * 7.54978995489188216e-8f;
    q = u32(n) + turns;
  } else {
    let reduced = reduce_large(a);
    r = reduced.y;
    q = u32(reduced.x) + turns;
  }
  let z = r * r;
  let s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 0.16666654611f) * z * r + r;
  let c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * (z * z) - 0.5f * z + 1f;
  let value = select(s, c, (q & 1u) == 1u);
  return select(value, -value, (q & 2u) == 2u);
}`,
  sin_f32: `fn sin_f32(x: f32) -> f32 {
  if (!is_finite(x)) { return nan(); }
  let s = sine_of(abs(x), 0u);
  return select(s, -s, is_negative(x));
}`,
  cos_f32: `fn cos_f32(x: f32) -> f32 {
  if (!is_finite(x)) { return nan(); }
  return sine_of(abs(x), 1u);
}`,
  atan_small: `fn atan_small(x: f32) -> f32 {
  let far = x > 0.41421356f;
  let t = select(x, (x - 1f) / (x + 1f), far);
  let z = t * t;
  var p = 8.05374449538e-2f;
  p = p * z - 1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = p * z - 3.33329491539e-1f;
  return p * z * t + t + select(0f, 0.7853981633974483f, far);
}`,
  atan2_f32: `fn atan2_f32(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return nan(); }
  let a = abs(x);
  let b = abs(y);
  let larger = max(a, b);
  var ratio = 0f;
  if (is_inf(a) && is_inf(b)) { ratio = 1f; } else if (larger != 0f) { ratio = div_f32(min(a, b), larger); }
  var angle = atan_small(ratio);
  if (b > a) { angle = 1.5707963267948966f - angle; }
  if (is_negative(x)) { angle = 3.1415926535897932f - angle; }
  return with_sign(angle, y);
}`,
  asin_small: `fn asin_small(x: f32, z: f32) -> f32 {
  var p = 4.2163199048e-2f;
  p = p * z + 2.4181311049e-2f;
  p = p * z + 4.5470025998e-2f;
  p = p * z + 7.4953002686e-2f;
  p = p * z + 0.16666752422f;
  return p * z * x + x;
}`,
  asin_f32: `fn asin_f32(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x) || a > 1f) { return nan(); }
  if (a <= 0.5f) { return asin_small(x, x * x); }
  let z = 0.5f * (1f - a);
  return with_sign(1.5707963267948966f - 2f * asin_small(sqrt(z), z), x);
}`,
  acos_f32: `fn acos_f32(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x) || a > 1f) { return nan(); }
  if (a <= 0.5f) { return 1.5707963267948966f - asin_small(x, x * x); }
  let z = 0.5f * (1f - a);
  let angle = 2f * asin_small(sqrt(z), z);
  return select(angle, 3.1415926535897932f - angle, x < 0f);
}`,
};

const errorFunction: Readonly<Record<string, string>> = {
  erf_small: `fn erf_small(x: f32) -> f32 {
  let z = x * x;
  var p = 7.853861353153693e-5f;
  p = p * z - 8.010193625184903e-4f;
  p = p * z + 5.188327685732524e-3f;
  p = p * z - 2.685381193529856e-2f;
  p = p * z + 0.1128358514861418f;
  p = p * z - 0.37612625824233f;
  p = p * z + 1.12837916572671f;
  return x * p;
}`,
  /** erfc for a >= 1. The square is split, since rounding it would cost the exponential its digits. */
  erfc_tail: `fn erfc_tail(a: f32) -> f32 {
  if (!(a < 11f)) { return 0f; }
  let q = 1f / a;
  let y = q * q;
  var near = 2.326819970068386e-2f;
  near = near * y - 0.1387039388740657f;
  near = near * y + 0.3687424674597105f;
  near = near * y - 0.5824733027278666f;
  near = near * y + 0.6210004621745983f;
  near = near * y - 0.4944515323274145f;
  near = near * y + 0.3404879937665872f;
  near = near * y - 0.2741127028184656f;
  near = near * y + 0.5638259427386472f;
  var far = -10.47766399936249f;
  far = far * y + 12.97719955372516f;
  far = far * y - 7.495518717768503f;
  far = far * y + 2.921019019210786f;
  far = far * y - 1.0152652792027f;
  far = far * y + 0.4218463358204948f;
  far = far * y - 0.2820767439740514f;
  far = far * y + 0.5641895067754075f;
  let high = of_bits(bitcast<u32>(a) & 0xfffff000u);
  let e = exp_f32(-high * high) * exp_f32((high - a) * (high + a));
  return e * q * select(far, near, a < 2f);
}`,
  erf_f32: `fn erf_f32(x: f32) -> f32 {
  let a = abs(x);
  if (a < 1f || is_nan(x)) { return erf_small(x); }
  return with_sign(1f - erfc_tail(a), x);
}`,
  erfc_f32: `fn erfc_f32(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x)) { return x; }
  if (a < 1f) { return 1f - erf_small(x); }
  let tail = erfc_tail(a);
  return select(tail, 2f - tail, x < 0f);
}`,
  gelu_f32: `fn gelu_f32(x: f32) -> f32 { return 0.5f * x * erfc_f32(x * -0.7071067811865476f); }`,
  /** M. Giles, "Approximating the erfinv function" (2010), single precision. */
  erfinv_f32: `fn erfinv_f32(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x) || a > 1f) { return nan(); }
  if (a == 1f) { return with_sign(inf(), x); }
  var w = -log_f32((1f - x) * (1f + x));
  var p = 0f;
  if (w < 5f) {
    w = w - 2.5f;
    p = 2.81022636e-08f;
    p = 3.43273939e-07f + p * w;
    p = -3.5233877e-06f + p * w;
    p = -4.39150654e-06f + p * w;
    p = 0.00021858087f + p * w;
    p = -0.00125372503f + p * w;
    p = -0.00417768164f + p * w;
    p = 0.246640727f + p * w;
    p = 1.50140941f + p * w;
  } else {
    w = sqrt(w) - 3f;
    p = -0.000200214257f;
    p = 0.000100950558f + p * w;
    p = 0.00134934322f + p * w;
    p = -0.00367342844f + p * w;
    p = 0.00573950773f + p * w;
    p = -0.0076224613f + p * w;
    p = 0.00943887047f + p * w;
    p = 1.00167406f + p * w;
    p = 2.83297682f + p * w;
  }
  return p * x;
}`,
};

const library: Readonly<Record<string, string>> = {
  ...basic,
  ...exponential,
  ...circular,
  ...errorFunction,
  ...gammaFunctions,
  // On the bits: drivers leave conversions there and back out, of a type of 16 bits as of packed halves. Below 2^-14 float16 has
  // the multiples of 2^-24; from 65520 on it is infinite.
  half: `fn half(x: f32) -> f32 {
let bits = bitcast<u32>(x);
let magnitude = bits & 0x7fffffffu;
let sign = bits & 0x80000000u;
if (magnitude > 0x7f800000u) { return x; }
if (magnitude >= 0x477ff000u) { return bitcast<f32>(sign | 0x7f800000u); }
if (magnitude < 0x38800000u) {
let units = u32(round(bitcast<f32>(magnitude) * 16777216f));
return bitcast<f32>(sign | bitcast<u32>(f32(units) * 5.9604644775390625e-8f));
}
return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}`,
  half_of_four:
    "fn half_of_four(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(half(x.x), half(x.y), half(x.z), half(x.w)); }",
};

/** The text of functions and of what they call, each once, callees first. */
export function functionsFor(names: Iterable<string>): string {
  const texts: string[] = [];
  const seen = new Set<string>();
  const add = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = library[name] as string;
    for (const [, callee] of text.matchAll(/([a-z_0-9]+)\(/g)) {
      if (callee !== undefined && callee !== name && Object.hasOwn(library, callee)) add(callee);
    }
    texts.push(text);
  };
  for (const name of names) if (Object.hasOwn(library, name)) add(name);
  return texts.join("\n");
}
