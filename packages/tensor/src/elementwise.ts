import {
  cast,
  computeDType,
  currentOperandCast,
  type DType,
  type ElementwiseMethods,
  type Expr,
  fail,
  input,
  isFloat,
  isScalar,
  isTensor,
  type Operand,
  type OpTyping,
  param,
  promote,
  promoteNumber,
  resultDType,
  type Scalar,
  type ScalarOp,
  type ScalarOpName,
  scalarOps,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "./apply.js";
import { remember, runRemembered } from "./eager-elementwise.js";
import { type ElementwiseAttrs, elementwise } from "./ops/elementwise.js";

/** One method for each row of the scalar table. */
export const elementwiseMethods = Object.fromEntries(
  Object.entries(scalarOps as Record<string, ScalarOp>).map(([name, op]) => [
    name,
    function (this: Tensor, ...operands: Operand[]): Tensor {
      return elementwiseOp(name as ScalarOpName, op, [this, ...operands]);
    },
  ]),
) as unknown as ElementwiseMethods;

/** Applies a row of the table to operands of which at least one is a tensor. */
export function elementwiseOp(name: ScalarOpName, op: ScalarOp, given: readonly Operand[]): Tensor {
  const operands = recast(name, given);
  const result = runRemembered(op, operands);
  if (result !== undefined) return result;
  if (operands.length !== op.arity) {
    fail(
      "invalid-argument",
      `${name}: expected ${op.arity - 1} operand(s) beside the tensor, got ${operands.length - 1}`,
    );
  }
  const attrs = attrsOf(name, op.typing, operands, (...args) => ({
    kind: "op",
    op: name,
    args,
    dtype: resultDType(op, (args.at(-1) as Expr).dtype),
  }));
  const computed = applyOne(elementwise, operands.filter(isTensor), attrs);
  remember(op, operands, attrs);
  return computed;
}

/**
 * An expression over broadcast operands, of which at least one is a tensor: one kernel, and so is its gradient, of any
 * order. `build` runs once for each combination of dtypes: `name` stands for what it makes.
 */
export function pointwise(
  name: string,
  typing: OpTyping,
  given: readonly Operand[],
  build: (...args: Expr[]) => Expr,
): Tensor {
  const operands = recast(name, given);
  return applyOne(elementwise, operands.filter(isTensor), attrsOf(name, typing, operands, build));
}

/** Operands as mixed precision wants them: before their dtypes decide what is computed. */
function recast(name: string, operands: readonly Operand[]): readonly Operand[] {
  const cast = currentOperandCast();
  if (cast === undefined) return operands;
  const tensors = cast(name, operands.filter(isTensor));
  let next = 0;
  return operands.map((operand) => (isTensor(operand) ? (tensors[next++] as Tensor) : operand));
}

function attrsOf(
  name: string,
  typing: OpTyping,
  operands: readonly Operand[],
  build: (...args: Expr[]) => Expr,
): ElementwiseAttrs {
  operands.forEach((operand, k) => {
    const known =
      isTensor(operand) || isScalar(operand) || typeof operand === "number" || typeof operand === "boolean";
    if (!known) {
      const got = Array.isArray(operand) ? "an array: wrap it in tensor()" : String(operand);
      fail("invalid-argument", `${name}: operand ${k} must be a tensor, a number or a Scalar, got ${got}`);
    }
  });
  const dtypes = operandDTypes(name, typing, operands);
  const params = operands.filter((operand) => !isTensor(operand)).map(numberOf);
  const signature = `${name} ${operands.map((o, k) => (isTensor(o) ? o.dtype : `#${dtypes[k]}`)).join()} ${dtypes.join()}`;
  let expr = exprs.get(signature);
  if (expr === undefined) {
    const joined = dtypes.at(-1) as DType;
    expr = build(...leavesOf(operands, dtypes));
    // What f16 operands make is computed in f32, all of it, and rounded in the end.
    if (joined === "f16" && isFloat(expr.dtype)) expr = cast(expr, joined);
    exprs.set(signature, expr);
  }
  return { name, expr, params };
}

/** One expression object for each op and combination of dtypes: it names the kernel. */
const exprs = new Map<string, Expr>();

function leavesOf(operands: readonly Operand[], dtypes: readonly DType[]): Expr[] {
  let tensors = 0;
  let numbers = 0;
  return operands.map((operand, k) => {
    const dtype = dtypes[k] as DType;
    const computed = computeDType(dtype);
    return isTensor(operand)
      ? cast(cast(input(tensors++, operand.dtype), dtype), computed)
      : param(numbers++, computed);
  });
}

function numberOf(operand: Operand): number | Scalar {
  return typeof operand === "boolean" ? Number(operand) : (operand as number | Scalar);
}

/** The dtype that each operand is converted to. */
function operandDTypes(name: string, typing: OpTyping, operands: readonly Operand[]): DType[] {
  switch (typing) {
    case "float": {
      const joined = joinedDType(operands);
      return operands.map(() => (isFloat(joined) ? joined : "f32"));
    }
    case "number": {
      const joined = joinedDType(operands);
      return operands.map(() => (joined === "bool" ? "i32" : joined));
    }
    case "compare": {
      const joined = joinedDType(operands);
      return operands.map(() => joined);
    }
    case "test":
      return operands.map((operand) => (operand as Tensor).dtype);
    case "logic":
      for (const operand of operands) {
        if (isTensor(operand) && operand.dtype !== "bool") {
          fail(
            "dtype-mismatch",
            `${name}: expected bool, got ${operand.dtype}. Compare first, as in x.ne(0)`,
          );
        }
      }
      return operands.map(() => "bool");
    case "bits":
      for (const operand of operands) {
        const integer = isTensor(operand) ? !isFloat(operand.dtype) : Number.isInteger(numberOf(operand));
        if (!integer) fail("dtype-mismatch", `${name}: expected i32 operands. Convert first: x.cast("i32")`);
      }
      return operands.map(() => "i32");
    case "select": {
      const [condition, ...values] = operands;
      if (isTensor(condition) && condition.dtype !== "bool") {
        fail(
          "dtype-mismatch",
          `${name}: the condition must be bool, got ${condition.dtype}. Compare first: x.ne(0)`,
        );
      }
      const joined = joinedDType(values);
      return ["bool", ...values.map(() => joined)];
    }
    default:
      return typing satisfies never;
  }
}

/** The promoted dtype of the tensors, which plain numbers join without widening it where they fit. */
function joinedDType(operands: readonly Operand[]): DType {
  const tensors = operands.filter(isTensor);
  if (tensors.length === 0) return "f32";
  let joined = tensors.map((x) => x.dtype).reduce(promote);
  for (const operand of operands) {
    if (isTensor(operand)) continue;
    if (isScalar(operand)) joined = isFloat(joined) ? joined : "f32";
    else if (typeof operand === "number" && Math.abs(operand) !== Infinity)
      joined = promoteNumber(joined, operand);
  }
  return joined;
}
