import { type DType, dtypes, isFloat } from "../dtype.js";
import { fail } from "../errors.js";
import { type Expr, postOrder } from "./expr.js";
import type { Kernel } from "./kernel.js";
import { resultDType, scalarOp } from "./scalar-ops.js";

/** Where in a kernel an expression stands, and what it may use there. */
export interface Place {
  readonly kernel: Kernel;
  /** As messages say it: `stage 1`. */
  readonly name: string;
  /** How many loop axes the kernel has. */
  readonly axes: number;
  /** The axes whose index the expression may use. */
  readonly usable: readonly number[];
  /** The dtypes of the kernel's stages. */
  readonly stages: readonly DType[];
  /** The expression may read the stages before this one. */
  readonly readable: number;
}

export function reject(kernel: Kernel, problem: string): never {
  return fail("kernel-invalid", `kernel "${kernel.name}": ${problem}`);
}

/** Rejects f16 where only what is computed may stand: it is for loads, constants, casts and what is written. */
export function rejectHalf(kernel: Kernel, what: string, dtype: DType | undefined): void {
  if (dtype === "f16") reject(kernel, `${what} may not be f16, which is for storage. Cast it to f32`);
}

export function expectDType({ kernel, name }: Place, what: string, actual?: DType, expected?: DType): void {
  if (actual !== expected) reject(kernel, `${name}: ${what} must be ${expected}, got ${actual}`);
}

/** Checks an expression and all below it. */
export function checkExpr(place: Place, expr: Expr): void {
  for (const node of postOrder([expr])) checkNode(place, node);
}

function checkNode(place: Place, node: Expr): void {
  const { kernel, name } = place;
  if (!dtypes.includes(node.dtype)) {
    reject(kernel, `${name}: "${node.kind}" has the unknown dtype "${node.dtype}"`);
  }
  if (node.kind === "input") {
    const mend = "lowering must replace it by a load";
    reject(kernel, `${name} holds operand ${node.index} of an elementwise op; ${mend}`);
  }
  switch (node.kind) {
    case "const":
      checkNumber(place, "the constant", node.value, node.dtype);
      return;
    case "axis":
      expectDType(place, "an axis", node.dtype, "i32");
      checkAxis(place, "axis", node.axis);
      if (!place.usable.includes(node.axis)) {
        reject(kernel, `${name} uses axis ${node.axis}, but it may only use ${list(place.usable)}`);
      }
      return;
    case "size":
      expectDType(place, "a size", node.dtype, "i32");
      checkAxis(place, "the size of axis", node.axis);
      return;
    case "param": {
      const dtype = kernel.params[node.index];
      if (dtype === undefined) {
        reject(kernel, `${name} reads param ${node.index}, but there are ${kernel.params.length}`);
      }
      expectDType(place, `param ${node.index}`, node.dtype, dtype);
      return;
    }
    case "stage":
      checkStage(place, node.index, node.dtype);
      return;
    case "load":
      checkLoad(place, node);
      return;
    case "op":
      checkOp(place, node);
      if (node.args.some((arg) => arg.dtype === "f16")) {
        reject(
          kernel,
          `${name}: ${node.op} takes no f16: it is for storage. Cast to f32, and the result to f16`,
        );
      }
      return;
    case "cast":
      return;
    default:
      reject(kernel, `${name} holds an unknown expression "${(node satisfies never as Expr).kind}"`);
  }
}

function checkAxis({ kernel, name, axes }: Place, what: string, axis: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= axes) {
    reject(kernel, `${name} uses ${what} ${axis}, but the kernel has ${axes} axes`);
  }
}

function checkStage(place: Place, index: number, dtype: DType): void {
  const { kernel, name, stages, readable } = place;
  const expected = stages[index];
  if (expected === undefined) reject(kernel, `${name} reads stage ${index}, but there are ${stages.length}`);
  if (index >= readable) {
    if (kernel.kind === "contract") reject(kernel, `${name} reads the sum, which only writes may`);
    reject(
      kernel,
      `${name} reads stage ${index}, which ${index === readable ? "is that stage" : "comes later"}`,
    );
  }
  expectDType(place, `stage ${index}`, dtype, expected);
}

function checkLoad(place: Place, node: Extract<Expr, { kind: "load" }>): void {
  const { kernel, name } = place;
  const { buffer, index, guard, fill, dtype } = node;
  const expected = kernel.inputs[buffer];
  if (expected === undefined) {
    reject(kernel, `${name} loads from input ${buffer}, but there are ${kernel.inputs.length}`);
  }
  expectDType(place, `a load from input ${buffer}`, dtype, expected);
  expectDType(place, `the index of a load from input ${buffer}`, index.dtype, "i32");
  if (guard !== undefined)
    expectDType(place, `the guard of a load from input ${buffer}`, guard.dtype, "bool");
  if (fill === undefined) return;
  if (guard === undefined) reject(kernel, `${name}: a load from input ${buffer} has a fill but no guard`);
  checkNumber(place, "the fill", fill, dtype);
}

/** Whether a dtype has the value: any number for floats, whole numbers that fit for i32, 0 and 1 for bool. */
function checkNumber({ kernel, name }: Place, what: string, value: number, dtype: DType): void {
  const holds =
    typeof value === "number" &&
    (isFloat(dtype) || (dtype === "bool" ? value === 0 || value === 1 : (value | 0) === value));
  if (!holds) reject(kernel, `${name}: ${what} ${value} is not a value of ${dtype}`);
}

function checkOp(place: Place, { op, args, dtype }: Extract<Expr, { kind: "op" }>): void {
  const { kernel, name } = place;
  const row = scalarOp(op);
  if (row === undefined) reject(kernel, `${name} uses the unknown op "${op}"`);
  if (args.length !== row.arity) {
    reject(kernel, `${name}: ${op} takes ${row.arity} operands, got ${args.length}`);
  }
  const operands = row.typing === "select" ? args.slice(1) : args;
  if (row.typing === "select") expectDType(place, `the condition of ${op}`, args[0]?.dtype, "bool");
  const operand = (operands[0] as Expr).dtype;
  if (operands.some((arg) => arg.dtype !== operand)) {
    reject(
      kernel,
      `${name}: the operands of ${op} must have one dtype, got ${operands.map((arg) => arg.dtype).join(", ")}`,
    );
  }
  const wanted = {
    float: isFloat(operand) || "f32 or f64",
    number: operand !== "bool" || "numbers",
    compare: true,
    test: true,
    logic: operand === "bool" || "bool",
    bits: operand === "i32" || "i32",
    select: true,
  }[row.typing];
  if (wanted !== true) reject(kernel, `${name}: ${op} takes ${wanted}, got ${operand}`);
  expectDType(place, `the result of ${op}`, dtype, resultDType(row, operand));
}

function list(axes: readonly number[]): string {
  return axes.length === 0 ? "none" : axes.join(", ");
}
