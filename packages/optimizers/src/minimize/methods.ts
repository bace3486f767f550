import { fail, type Optimizer } from "@gradus/core";
import { bfgs } from "../bfgs.js";
import { conjugateGradient } from "../conjugate-gradient.js";
import { gaussNewton } from "../gauss-newton.js";
import { gradientDescent } from "../gradient-descent.js";
import { lbfgs } from "../lbfgs.js";
import { lbfgsb } from "../lbfgsb.js";
import { levenbergMarquardt } from "../levenberg-marquardt.js";
import { naturalGradient } from "../natural-gradient.js";
import { newton } from "../newton.js";
import { newtonCG } from "../newton-cg.js";
import type { StoppingOptions } from "../problem/iterative.js";
import { trustRegion } from "../trust-region.js";

/** The methods of `minimize` by name, and how they are made. */
const methods = {
  "gradient-descent": (options: StoppingOptions) => gradientDescent(options),
  cg: (options: StoppingOptions) => conjugateGradient(options),
  bfgs: (options: StoppingOptions) => bfgs(options),
  "l-bfgs": ({ gradientTolerance = 1e-6, maxIterations = 1000 }: StoppingOptions) =>
    // Step by step, so that progress can be seen; nothing is asked twice.
    lbfgs({ iterationsPerStep: 1, gradientTolerance, maxIterations, changeTolerance: 1e-14 }),
  "l-bfgs-b": (options: StoppingOptions) => lbfgsb({ gradientTolerance: 1e-6, ...options }),
  "gauss-newton": (options: StoppingOptions) => gaussNewton(options),
  "levenberg-marquardt": (options: StoppingOptions) => levenbergMarquardt(options),
  "natural-gradient": (options: StoppingOptions) => naturalGradient(options),
  newton: (options: StoppingOptions) => newton(options),
  "newton-cg": (options: StoppingOptions) => newtonCG(options),
  "trust-region": (options: StoppingOptions) => trustRegion(options),
  "trust-ncg": (options: StoppingOptions) => trustRegion({ ...options, subproblem: "steihaug" }),
  "trust-exact": (options: StoppingOptions) => trustRegion({ ...options, subproblem: "exact" }),
} as const;

export type MinimizeMethod = keyof typeof methods;

export const methodNames = Object.keys(methods) as readonly MinimizeMethod[];

/** The optimizer of a name; an optimizer is one already. */
export function optimizerOf(method: MinimizeMethod | Optimizer, options: StoppingOptions): Optimizer {
  if (typeof method === "object" && method !== null && typeof method.step === "function") return method;
  if (typeof method === "string" && Object.hasOwn(methods, method)) return methods[method](options);
  return fail(
    "invalid-argument",
    `minimize: unknown method ${JSON.stringify(method)}: use an optimizer, or one of ${methodNames.join(", ")}`,
  );
}
