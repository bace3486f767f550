import type { DType, ScalarOpName } from "@gradus/core";
import { MIN_F32 } from "./values.js";

/** How far a result may be from the reference: within either bound. NaN and infinities must be the same. */
export interface Tolerance {
  /** Units in the last place of the result's dtype. Default 0. */
  readonly ulps?: number;
  /** The distance itself. Default 0. */
  readonly absolute?: number;
}

/**
 * What has a tolerance: each row of the scalar table; `sum`, the reductions of a loop kernel (fractions are added in an
 * order of the backend's choice); `contract`; and `kernel`, expressions of several operations.
 */
export type ToleranceName = ScalarOpName | "sum" | "contract" | "kernel";

const exact: Tolerance = { ulps: 0 };
/** One rounding, with what a GPU may lose in it. */
const rounded: Tolerance = { ulps: 4 };
/** A function computed in several steps, in f32. */
const approximate: Tolerance = { ulps: 64, absolute: 1e-6 };

/** What is asked of a backend that does not say more. Rows that are not named here are exact. */
const defaults: Partial<Record<ToleranceName, Tolerance>> = {
  ...named(["div", "reciprocal", "sqrt", "rsqrt", "hypot", "leakyRelu"], rounded),
  ...named(["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp"], approximate),
  ...named(["sin", "cos", "tan", "asin", "acos", "atan", "atan2"], approximate),
  ...named(["sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc"], approximate),
  ...named(["sigmoid", "logSigmoid", "softplus", "silu", "gelu", "elu"], approximate),
  ...named(["mish", "xlogy", "sinc", "erfinv"], approximate),
  ...named(["lgamma", "digamma", "polygamma"], { ulps: 256, absolute: 1e-5 }),
  // exp(b log(a)): the error grows with the exponent of the result.
  pow: { ulps: 512, absolute: 1e-6 },
  exp2: { ulps: 256 },
  sum: { ulps: 16, absolute: 1e-4 },
  contract: { ulps: 16, absolute: 1e-4 },
  kernel: { ulps: 64, absolute: 1e-6 },
};

function named(
  names: readonly ToleranceName[],
  tolerance: Tolerance,
): Partial<Record<ToleranceName, Tolerance>> {
  return Object.fromEntries(names.map((name) => [name, tolerance]));
}

export function defaultTolerance(name: ToleranceName): Tolerance {
  return defaults[name] ?? exact;
}

/** Whether a result is as close to the expected one as it must be. A denormal may have become zero. */
export function isClose(actual: number, expected: number, dtype: DType, tolerance: Tolerance): boolean {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return true;
  if (dtype === "i32" || dtype === "bool" || !Number.isFinite(expected)) return false;
  const { ulps = 0, absolute = 0 } = tolerance;
  const denormal = dtype === "f32" ? MIN_F32 : dtype === "f16" ? 0 : 2.2250738585072014e-308;
  return Math.abs(actual - expected) <= Math.max(ulps * spacing(expected, dtype), absolute, denormal);
}

/** The distance between neighbouring numbers of a dtype around x. */
function spacing(x: number, dtype: DType): number {
  return 2 ** (Math.floor(Math.log2(Math.abs(x))) - (dtype === "f32" ? 23 : dtype === "f16" ? 10 : 52));
}
