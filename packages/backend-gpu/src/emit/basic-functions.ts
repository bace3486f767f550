/* What every shader may need: tests on bits, comparisons, whole numbers, and division with its remainders. */

export const basicFunctions: Readonly<Record<string, string>> = {
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
