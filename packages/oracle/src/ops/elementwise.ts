import type { Tensor } from "@gradus/core";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import { binary, type OpTable, unary, unaryWith } from "./op.js";

/** Arithmetic, functions of numbers, comparisons. */
export const elementwise: OpTable = {
  abs: unary((x) => x.abs()),
  neg: unary((x) => x.neg()),
  exp: unary((x) => x.exp()),
  exp2: unary((x) => x.exp2()),
  expm1: unary((x) => x.expm1()),
  square: unary((x) => x.square()),
  sin: unary((x) => x.sin()),
  cos: unary((x) => x.cos()),
  tan: unary((x) => x.tan()),
  asin: unary((x) => x.asin()),
  acos: unary((x) => x.acos()),
  atan: unary((x) => x.atan()),
  sinh: unary((x) => x.sinh()),
  cosh: unary((x) => x.cosh()),
  tanh: unary((x) => x.tanh()),
  asinh: unary((x) => x.asinh()),
  acosh: unary((x) => x.acosh()),
  atanh: unary((x) => x.atanh()),
  sigmoid: unary((x) => x.sigmoid()),
  erf: unary((x) => x.erf()),
  erfc: unary((x) => x.erfc()),
  log: unary((x) => x.log()),
  log2: unary((x) => x.log2()),
  log10: unary((x) => x.log10()),
  log1p: unary((x) => x.log1p()),
  sqrt: unary((x) => x.sqrt()),
  rsqrt: unary((x) => x.rsqrt()),
  reciprocal: unary((x) => x.reciprocal()),
  deg2rad: unary((x) => x.mul(Math.PI / 180)),
  erfinv: unary((x) => x.erfinv()),
  lgamma: unary((x) => x.lgamma()),
  digamma: unary((x) => x.digamma()),
  sinc: unary((x) => x.sinc()),
  logit: unaryWith((x, options) => {
    const inside = options.has("eps") ? x.clamp(options.number("eps"), 1 - options.number("eps")) : x;
    return inside.log().sub(inside.neg().log1p());
  }),
  floor: unary((x) => x.floor()),
  ceil: unary((x) => x.ceil()),
  round: unary((x) => x.round()),
  trunc: unary((x) => x.trunc()),
  frac: unary((x) => x.frac()),
  sign: unary((x) => x.sign()),
  isnan: unary((x) => x.isNaN()),
  isinf: unary((x) => x.isInf()),
  isfinite: unary((x) => x.isFinite()),
  nan_to_num: unaryWith((x, options) => {
    const greatest = x.dtype === "f64" ? Number.MAX_VALUE : 3.4028234663852886e38;
    const replacements = [
      [x.isNaN(), options.number("nan", 0)],
      [x.eq(Infinity), options.number("posinf", greatest)],
      [x.eq(-Infinity), options.number("neginf", -greatest)],
    ] as const;
    return replacements.reduce((y, [where, value]) => where.where(value, y), x);
  }),

  add: ([a, b], options) => (a as Tensor).add(scaled(b as Tensor, options, "alpha")),
  sub: ([a, b], options) => (a as Tensor).sub(scaled(b as Tensor, options, "alpha")),
  mul: binary((a, b) => a.mul(b)),
  div: ([a, b], options) => divide(a as Tensor, b as Tensor, options),
  maximum: binary((a, b) => a.maximum(b)),
  minimum: binary((a, b) => a.minimum(b)),
  logaddexp: binary((a, b) => a.logaddexp(b)),
  atan2: binary((a, b) => a.atan2(b)),
  hypot: binary((a, b) => a.hypot(b)),
  pow: binary((a, b) => a.pow(b)),
  pow_scalar: unaryWith((x, options) => x.pow(options.number("exponent"))),
  rpow_scalar: unaryWith((x, options) => x.onesLike().mul(options.number("base")).pow(x)),
  fmod: binary((a, b) => a.fmod(b)),
  remainder: binary((a, b) => a.remainder(b)),
  xlogy: binary((a, b) => a.xlogy(b)),
  lerp: ([start, end, weight], options) =>
    (start as Tensor).add((end as Tensor).sub(start as Tensor).mul(weight ?? options.number("weight"))),
  addcmul: ([x, a, b], options) =>
    (x as Tensor).add(scaled((a as Tensor).mul(b as Tensor), options, "value")),
  addcdiv: ([x, a, b], options) =>
    (x as Tensor).add(scaled((a as Tensor).div(b as Tensor), options, "value")),

  eq: binary((a, b) => a.eq(b)),
  ne: binary((a, b) => a.ne(b)),
  lt: binary((a, b) => a.lt(b)),
  le: binary((a, b) => a.le(b)),
  gt: binary((a, b) => a.gt(b)),
  ge: binary((a, b) => a.ge(b)),
  where: ([condition, a, b]) => (condition as Tensor).where(a as Tensor, b as Tensor),
  masked_fill: ([x, mask], options) => (mask as Tensor).where(options.number("value"), x as Tensor),
  clamp: ([x, low, high], options) =>
    (x as Tensor).clamp(low ?? options.number("min", -Infinity), high ?? options.number("max", Infinity)),
  detach_product: unary((x) => x.mul(x.detach())),
};

function scaled(x: Tensor, options: Options, name: string): Tensor {
  return options.has(name) ? x.mul(options.number(name)) : x;
}

function divide(a: Tensor, b: Tensor, options: Options): Tensor {
  if (!options.has("rounding_mode")) return a.div(b);
  const mode = options.string("rounding_mode", "");
  if (mode === "trunc") return a.div(b).trunc();
  if (mode !== "floor") unsupported(`div with rounding_mode ${mode}`);
  // Constants: nothing may flow back through a division by zero. The quotient is of what is left without the
  // remainder: `floor(1 / 0.1)` is 10, 1 // 0.1 is 9.
  const [x, y] = [a.detach(), b.detach()];
  return y.eq(0).where(x.div(y).floor(), x.sub(x.remainder(y)).div(y).round());
}
