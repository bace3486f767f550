import { type DType, type Expr, type ScalarOpName, scalarOps } from "@gradus/core";
import * as circle from "./circle.js";
import * as error from "./error-function.js";
import * as exponential from "./exponentials.js";
import * as gamma from "./gamma.js";
import type { LaneProgram } from "./lane-program.js";
import * as logarithm from "./logarithms.js";
import * as modulus from "./modulus.js";
import { powerOfDoubles, powerOfSingles } from "./power.js";

/* The functions that are no instruction: how they are computed, on lanes. Errors are in docs/decisions/0007. */

type Expression = (...operands: Expr[]) => Expr;

/** Of f32 and of f64. Those of f32 may be written out where they are used. */
const expressions: Readonly<Record<string, Expression>> = {
  exp: exponential.exp as Expression,
  exp2: exponential.exp2 as Expression,
  expm1: exponential.expm1 as Expression,
  sigmoid: exponential.sigmoid as Expression,
  tanh: exponential.tanh as Expression,
  log: logarithm.log as Expression,
  log2: logarithm.log2 as Expression,
  log1p: logarithm.log1p as Expression,
  erf: error.erf as Expression,
  erfc: error.erfc as Expression,
  gelu: error.gelu as Expression,
};

const expression =
  (f: Expression): LaneProgram =>
  (_, ...operands) =>
    f(...operands);

/** Of f64. Those of f32 are computed as these are, and rounded, if they are not above or below. */
const doubles: Readonly<Record<string, LaneProgram>> = {
  sin: circle.sin,
  cos: circle.cos,
  asin: expression(circle.asin as Expression),
  acos: expression(circle.acos as Expression),
  atan: expression(circle.atan as Expression),
  atan2: circle.atan2,
  sinh: expression(exponential.sinh as Expression),
  cosh: expression(exponential.cosh as Expression),
  asinh: expression(logarithm.asinh as Expression),
  acosh: expression(logarithm.acosh as Expression),
  atanh: expression(logarithm.atanh as Expression),
  log10: expression(logarithm.log10 as Expression),
  pow: powerOfDoubles,
  powerOfSingles,
  modulus: modulus.modulus,
  fmod: modulus.fmod,
  remainder: modulus.remainder,
  erfinv: error.erfinv,
  lgamma: gamma.lgamma,
  digamma: gamma.digamma,
  polygamma: gamma.polygamma,
  zeta: gamma.zeta,
  // What cancels in f32.
  sinc: expression(scalarOps.sinc.expand as Expression),
  logaddexp: expression(scalarOps.logaddexp.expand as Expression),
};

const singles: Readonly<Record<string, LaneProgram>> = { sin: circle.singleSin, cos: circle.singleCos };

/** How a function is computed: on lanes of its own dtype, or by the function of f64 with this name. */
export type LaneFunction =
  | { readonly kind: "program"; readonly program: LaneProgram; readonly written?: Expression }
  | { readonly kind: "wide"; readonly name: string }
  | { readonly kind: "digits" };

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** The function that computes an operation, if it is none of instructions and other operations. */
export function functionOf(name: string, operand: DType): LaneFunction | undefined {
  if (name === "turnDigits") return { kind: "digits" };
  if (name.startsWith(WIDE)) return { kind: "wide", name: name.slice(WIDE.length) };
  if (operand !== "f32" && operand !== "f64") return undefined;
  const written = own(expressions, name);
  if (written !== undefined) return { kind: "program", program: expression(written), written };
  const program = own(operand === "f32" ? singles : doubles, name);
  if (program !== undefined) return { kind: "program", program };
  if (operand !== "f32" || own(doubles, name) === undefined) return undefined;
  return { kind: "wide", name: name === ("pow" satisfies ScalarOpName) ? "powerOfSingles" : name };
}

/** Before the name of a function of f64, for f32. */
const WIDE = "wide ";
