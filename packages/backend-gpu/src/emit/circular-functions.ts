/* Sines and their inverses, by polynomials of the Cephes library (S. Moshier); arguments of any size. */

export const circularFunctions: Readonly<Record<string, string>> = {
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
  let exponent = (word >> 23u) - 128u;
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
