import { exponentialFunctions } from "./exponential-functions.js";
import { gammaFunctions } from "./gamma-functions.js";
import { places } from "./places.js";
import { primitives } from "./primitives.js";

/*
 * The functions of kernels, in the part of GLSL that is JavaScript but for the types: all are of floats, true is 1. Polynomials are
 * those of the Cephes library (S. Moshier), unless said otherwise.
 */

const basic: Readonly<Record<string, string>> = {
  zero: `float zero() { return 0.0; }`,
  // gpu.js writes the index of a thread as an integer.
  to_float: `float to_float(float x) { return x; }`,
  pick: `float pick(float condition, float a, float b) { return condition != 0.0 ? a : b; }`,
  either: `float either(float a, float b) { return max(a, b); }`,
  differ: `float differ(float a, float b) { return abs(a - b); }`,
  eq: `float eq(float a, float b) { return a == b && !is_nan(a) && !is_nan(b) ? 1.0 : 0.0; }`,
  ne: `float ne(float a, float b) { return a != b || is_nan(a) || is_nan(b) ? 1.0 : 0.0; }`,
  lt: `float lt(float a, float b) { return a < b && !is_nan(a) && !is_nan(b) ? 1.0 : 0.0; }`,
  le: `float le(float a, float b) { return a <= b && !is_nan(a) && !is_nan(b) ? 1.0 : 0.0; }`,
  // Of whole numbers, which are never NaN.
  eq_i: `float eq_i(float a, float b) { return a == b ? 1.0 : 0.0; }`,
  ne_i: `float ne_i(float a, float b) { return a != b ? 1.0 : 0.0; }`,
  lt_i: `float lt_i(float a, float b) { return a < b ? 1.0 : 0.0; }`,
  le_i: `float le_i(float a, float b) { return a <= b ? 1.0 : 0.0; }`,
  max_i: `float max_i(float a, float b) { return max(a, b); }`,
  min_i: `float min_i(float a, float b) { return min(a, b); }`,
  test_nan: `float test_nan(float x) { return is_nan(x) ? 1.0 : 0.0; }`,
  test_inf: `float test_inf(float x) { return is_inf(x) ? 1.0 : 0.0; }`,
  test_finite: `float test_finite(float x) { return is_finite(x) ? 1.0 : 0.0; }`,
  truth: `float truth(float x) { return is_zero(x) ? 0.0 : 1.0; }`,
  max_f: `float max_f(float a, float b) { return is_nan(a) ? a : is_nan(b) ? b : max(a, b); }`,
  min_f: `float min_f(float a, float b) { return is_nan(a) ? a : is_nan(b) ? b : min(a, b); }`,
  abs_f: `float abs_f(float x) { return abs(x); }`,
  sign_f: `float sign_f(float x) { return is_nan(x) ? 0.0 : x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0; }`,
  relu_f: `float relu_f(float x) { return x > 0.0 || is_nan(x) ? x : 0.0; }`,
  floor_f: `float floor_f(float x) { return is_finite(x) ? floor(x) : x; }`,
  ceil_f: `float ceil_f(float x) { return is_finite(x) ? ceil(x) : x; }`,
  trunc_f: `float trunc_f(float x) { return is_finite(x) ? trunc(x) : x; }`,
  sqrt_f: `float sqrt_f(float x) { return is_nan(x) || x < 0.0 ? nan() : is_inf(x) || is_zero(x) ? x : sqrt(x); }`,
  // The reciprocal of a number beyond 2^126 is denormal, and hardware that divides by it gives 0.
  div_f: `float div_f(float a, float b) {
  if (is_nan(a) || is_nan(b) || (is_inf(a) && is_inf(b)) || (is_zero(a) && is_zero(b))) { return nan(); }
  float s = with_sign(1.0, a) * with_sign(1.0, b);
  if (is_zero(b) || is_inf(a)) { return with_sign(inf(), s); }
  if (is_zero(a) || is_inf(b)) { return with_sign(0.0, s); }
  bool large = abs(b) > 8.507059e37;
  return large ? (a * 0.0625) / (b * 0.0625) : a / b;
}`,
  remainder_f: `float remainder_f(float a, float b) {
  float r = fmod_f(a, b);
  return !is_nan(r) && r != 0.0 && (r < 0.0) != (b < 0.0) ? r + b : r;
}`,
  /** Whether x takes the place of the extreme so far: the first of equals stays, the first NaN too. */
  above: `float above(float x, float best) {
  return is_nan(best) ? 0.0 : is_nan(x) || x > best ? 1.0 : 0.0;
}`,
  below: `float below(float x, float best) {
  return is_nan(best) ? 0.0 : is_nan(x) || x < best ? 1.0 : 0.0;
}`,
};

const circular: Readonly<Record<string, string>> = {
  sin_f: `float sin_f(float x) {
  if (!is_finite(x)) { return nan(); }
  float s = sine_of(abs(x), 0.0);
  return is_negative(x) ? -s : s;
}`,
  cos_f: `float cos_f(float x) {
  if (!is_finite(x)) { return nan(); }
  return sine_of(abs(x), 1.0);
}`,
  atan_small: `float atan_small(float x) {
  bool far = x > 0.41421356;
  float t = far ? (x - 1.0) / (x + 1.0) : x;
  float z = t * t;
  float p = 8.05374449538e-2;
  p = p * z - 1.38776856032e-1;
  p = p * z + 1.99777106478e-1;
  p = p * z - 3.33329491539e-1;
  return p * z * t + t + (far ? 0.7853981633974483 : 0.0);
}`,
  atan2_f: `float atan2_f(float y, float x) {
  if (is_nan(x) || is_nan(y)) { return nan(); }
  float a = abs(x);
  float b = abs(y);
  float larger = max(a, b);
  float ratio = 0.0;
  if (is_inf(a) && is_inf(b)) { ratio = 1.0; }
  else if (larger != 0.0) { ratio = div_f(min(a, b), larger); }
  float angle = atan_small(ratio);
  if (b > a) { angle = 1.5707963267948966 - angle; }
  if (is_negative(x)) { angle = 3.1415926535897932 - angle; }
  return with_sign(angle, y);
}`,
  asin_small: `float asin_small(float x, float z) {
  float p = 4.2163199048e-2;
  p = p * z + 2.4181311049e-2;
  p = p * z + 4.5470025998e-2;
  p = p * z + 7.4953002686e-2;
  p = p * z + 0.16666752422;
  return p * z * x + x;
}`,
  asin_f: `float asin_f(float x) {
  float a = abs(x);
  if (is_nan(x) || a > 1.0) { return nan(); }
  if (a <= 0.5) { return asin_small(x, x * x); }
  float z = 0.5 * (1.0 - a);
  return with_sign(1.5707963267948966 - 2.0 * asin_small(sqrt(z), z), x);
}`,
  acos_f: `float acos_f(float x) {
  float a = abs(x);
  if (is_nan(x) || a > 1.0) { return nan(); }
  if (a <= 0.5) { return 1.5707963267948966 - asin_small(x, x * x); }
  float z = 0.5 * (1.0 - a);
  float angle = 2.0 * asin_small(sqrt(z), z);
  return x < 0.0 ? 3.1415926535897932 - angle : angle;
}`,
};

const errorFunction: Readonly<Record<string, string>> = {
  erf_small: `float erf_small(float x) {
  float z = x * x;
  float p = 7.853861353153693e-5;
  p = p * z - 8.010193625184903e-4;
  p = p * z + 5.188327685732524e-3;
  p = p * z - 2.685381193529856e-2;
  p = p * z + 0.1128358514861418;
  p = p * z - 0.37612625824233;
  p = p * z + 1.12837916572671;
  return x * p;
}`,
  /** erfc for a >= 1. The square is split, since rounding it would cost the exponential its digits. */
  erfc_tail: `float erfc_tail(float a) {
  if (is_nan(a) || a >= 11.0) { return 0.0; }
  float q = 1.0 / a;
  float y = q * q;
  float p = 0.0;
  if (a < 2.0) {
    p = 2.326819970068386e-2;
    p = p * y - 0.1387039388740657;
    p = p * y + 0.3687424674597105;
    p = p * y - 0.5824733027278666;
    p = p * y + 0.6210004621745983;
    p = p * y - 0.4944515323274145;
    p = p * y + 0.3404879937665872;
    p = p * y - 0.2741127028184656;
    p = p * y + 0.5638259427386472;
  } else {
    p = -10.47766399936249;
    p = p * y + 12.97719955372516;
    p = p * y - 7.495518717768503;
    p = p * y + 2.921019019210786;
    p = p * y - 1.0152652792027;
    p = p * y + 0.4218463358204948;
    p = p * y - 0.2820767439740514;
    p = p * y + 0.5641895067754075;
  }
  float high = high_half(a);
  return exp_f(-high * high) * exp_f((high - a) * (high + a)) * q * p;
}`,
  erf_f: `float erf_f(float x) {
  float a = abs(x);
  if (is_nan(x) || a < 1.0) { return erf_small(x); }
  return with_sign(1.0 - erfc_tail(a), x);
}`,
  erfc_f: `float erfc_f(float x) {
  if (is_nan(x)) { return x; }
  float a = abs(x);
  if (a < 1.0) { return 1.0 - erf_small(x); }
  float tail = erfc_tail(a);
  return x < 0.0 ? 2.0 - tail : tail;
}`,
  gelu_f: `float gelu_f(float x) { return 0.5 * x * erfc_f(x * -0.7071067811865476); }`,
  /** M. Giles, "Approximating the erfinv function" (2010), single precision. */
  erfinv_f: `float erfinv_f(float x) {
  float a = abs(x);
  if (is_nan(x) || a > 1.0) { return nan(); }
  if (a == 1.0) { return with_sign(inf(), x); }
  float w = -log_f((1.0 - x) * (1.0 + x));
  float p = 0.0;
  if (w < 5.0) {
    w = w - 2.5;
    p = 2.81022636e-08;
    p = 3.43273939e-07 + p * w;
    p = -3.5233877e-06 + p * w;
    p = -4.39150654e-06 + p * w;
    p = 0.00021858087 + p * w;
    p = -0.00125372503 + p * w;
    p = -0.00417768164 + p * w;
    p = 0.246640727 + p * w;
    p = 1.50140941 + p * w;
  } else {
    w = sqrt(w) - 3.0;
    p = -0.000200214257;
    p = 0.000100950558 + p * w;
    p = 0.00134934322 + p * w;
    p = -0.00367342844 + p * w;
    p = 0.00573950773 + p * w;
    p = -0.0076224613 + p * w;
    p = 0.00943887047 + p * w;
    p = 1.00167406 + p * w;
    p = 2.83297682 + p * w;
  }
  return p * x;
}`,
};

const portable: Readonly<Record<string, string>> = {
  ...basic,
  ...exponentialFunctions,
  ...circular,
  ...errorFunction,
  ...gammaFunctions,
};

/** A language that kernels are written in: that of cards, or of this host. */
export type Language = "glsl" | "js";

/** What GLSL has and JavaScript does not. */
const builtins = `const { abs, floor, ceil, trunc, sqrt, min, max } = Math;
const clamp = (x, low, high) => min(max(x, low), high);`;

/** The text of the functions that `text` calls and of what they call, each once, callees first. */
export function functionsFor(text: string, language: Language): string {
  const texts: string[] = language === "js" ? [builtins] : [];
  const seen = new Set<string>();
  const add = (caller: string): void => {
    for (const [, name] of caller.matchAll(/([a-z_0-9]+)\(/g)) {
      if (name === undefined || seen.has(name)) continue;
      const own = textOf(name, language);
      if (own === undefined) continue;
      seen.add(name);
      add(own);
      texts.push(own);
    }
  };
  add(text);
  return texts.join("\n");
}

export interface Signature {
  readonly name: string;
  readonly returns: "Number" | "Fours";
  readonly parameters: readonly ("Number" | "Fours" | "Texture")[];
}

/** What all functions take and give. */
export function signatures(): Signature[] {
  const all = [...Object.keys(places), ...Object.keys(primitives), ...Object.keys(portable)];
  return all.map((name) => {
    const text = textOf(name, "glsl") as string;
    const [, type, list = ""] = new RegExp(`(\\w+) ${name}\\(([^)]*)\\)`).exec(text) as RegExpExecArray;
    const parameters = list.split(",").flatMap((parameter): Signature["parameters"] => {
      const [kind] = parameter.trim().split(" ");
      // With a texture come its size and its dimensions.
      if (kind === "sampler2D") return ["Texture"];
      return kind === "float" ? ["Number"] : kind === "vec4" ? ["Fours"] : [];
    });
    return { name, returns: type === "vec4" ? "Fours" : "Number", parameters };
  });
}

function textOf(name: string, language: Language): string | undefined {
  if (language === "glsl" && Object.hasOwn(places, name)) return places[name]?.glsl;
  if (Object.hasOwn(primitives, name)) return primitives[name]?.[language];
  if (!Object.hasOwn(portable, name)) return undefined;
  const text = portable[name] as string;
  return language === "glsl" ? text : inJavaScript(text);
}

/** A function without its types. */
function inJavaScript(text: string): string {
  return text
    .replace(/^(?:float|bool) (\w+)\(([^)]*)\)/, (_, name: string, list: string) => {
      return `function ${name}(${list.replaceAll("float ", "")})`;
    })
    .replaceAll(/\b(?:float|bool) (\w+) =/g, "let $1 =");
}
