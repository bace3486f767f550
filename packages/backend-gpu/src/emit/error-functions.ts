/* The error function, what lies beyond it, and its inverse. */

export const errorFunctions: Readonly<Record<string, string>> = {
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
