import type { Tensor } from "@gradus/core";
import {
  addcdiv,
  addcmul,
  deg2rad,
  divideRounded,
  lerp,
  logit,
  maskedFill,
  nanToNum,
  rad2deg,
} from "@gradus/tensor";
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
  deg2rad: unary((x) => deg2rad(x)),
  rad2deg: unary((x) => rad2deg(x)),
  erfinv: unary((x) => x.erfinv()),
  lgamma: unary((x) => x.lgamma()),
  digamma: unary((x) => x.digamma()),
  sinc: unary((x) => x.sinc()),
  logit: unaryWith((x, options) => logit(x, options.has("eps") ? options.number("eps") : undefined)),
  floor: unary((x) => x.floor()),
  ceil: unary((x) => x.ceil()),
  round: unary((x) => x.round()),
  trunc: unary((x) => x.trunc()),
  frac: unary((x) => x.frac()),
  sign: unary((x) => x.sign()),
  isnan: unary((x) => x.isNaN()),
  isinf: unary((x) => x.isInf()),
  polygamma: unaryWith((x, options) => x.polygamma(options.number("n"))),
  isfinite: unary((x) => x.isFinite()),
  nan_to_num: unaryWith((x, options) =>
    nanToNum(x, {
      nan: options.number("nan", 0),
      ...(options.has("posinf") && { posinf: options.number("posinf") }),
      ...(options.has("neginf") && { neginf: options.number("neginf") }),
    }),
  ),

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
  copysign: binary((a, b) => a.copysign(b)),
  lerp: ([start, end, weight], options) =>
    lerp(start as Tensor, end as Tensor, weight ?? options.number("weight")),
  addcmul: ([x, a, b], options) => addcmul(x as Tensor, a as Tensor, b as Tensor, options.number("value", 1)),
  addcdiv: ([x, a, b], options) => addcdiv(x as Tensor, a as Tensor, b as Tensor, options.number("value", 1)),

  eq: binary((a, b) => a.eq(b)),
  ne: binary((a, b) => a.ne(b)),
  lt: binary((a, b) => a.lt(b)),
  le: binary((a, b) => a.le(b)),
  gt: binary((a, b) => a.gt(b)),
  ge: binary((a, b) => a.ge(b)),
  where: ([condition, a, b]) => (condition as Tensor).where(a as Tensor, b as Tensor),
  masked_fill: ([x, mask, value], options) =>
    maskedFill(x as Tensor, mask as Tensor, value ?? options.number("value")),
  clamp: ([x, low, high], options) =>
    (x as Tensor).clamp(low ?? options.number("min", -Infinity), high ?? options.number("max", Infinity)),
  detach_product: unary((x) => x.mul(x.detach())),
};

function scaled(x: Tensor, options: Options, name: string): Tensor {
  return options.has(name) ? x.mul(options.number(name)) : x;
}

function divide(a: Tensor, b: Tensor, options: Options): Tensor {
  const mode = options.has("rounding_mode") ? options.get("rounding_mode") : null;
  if (mode === null) return a.div(b);
  if (mode !== "trunc" && mode !== "floor") unsupported(`div with rounding_mode ${String(mode)}`);
  return divideRounded(a, b, mode);
}
