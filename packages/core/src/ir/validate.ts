import { type DType, dtypes, isFloat } from "../dtype.js";
import type { Expr } from "./expr.js";
import {
  type ContractKernel,
  type Cumulation,
  cumulations,
  type Kernel,
  type LoopKernel,
  type NativeKernel,
  type Output,
  type Scattering,
  type Stage,
  scatterings,
} from "./kernel.js";
import { mayOverwrite } from "./may-overwrite.js";
import { checkExpr, expectDType, type Place, reject, rejectHalf } from "./validate-expr.js";

/**
 * Throws `kernel-invalid`, naming the kernel and the place in it, if a kernel breaks a rule of the kernel language. A
 * backend that has called this need not check anything again.
 */
export function validateKernel(kernel: Kernel): void {
  for (const list of ["inputs", "outputs", "params"] as const) {
    kernel[list].forEach((dtype, i) => {
      if (!dtypes.includes(dtype)) reject(kernel, `${list}[${i}] has the unknown dtype "${dtype}"`);
    });
  }
  kernel.params.forEach((dtype, i) => {
    rejectHalf(kernel, `params[${i}]`, dtype);
  });
  validateParts(kernel);
  kernel.aliases?.forEach((input, output) => {
    if (input === undefined) return;
    if (kernel.aliases?.indexOf(input) !== output) reject(kernel, `two outputs overwrite input ${input}`);
    if (!mayOverwrite(kernel, output, input)) {
      reject(
        kernel,
        `output ${output} may not overwrite input ${input}: elements are read after they are written`,
      );
    }
  });
}

function validateParts(kernel: Kernel): void {
  switch (kernel.kind) {
    case "loop":
      validateLoop(kernel);
      return;
    case "contract":
      validateContract(kernel);
      return;
    case "native":
      validateNative(kernel);
      return;
    default:
      reject(kernel, `unknown kind ${JSON.stringify((kernel satisfies never as Kernel).kind)}`);
  }
}

function validateLoop(kernel: LoopKernel): void {
  const { axes, grid, stages, writes } = kernel;
  if (!Number.isInteger(axes) || axes < 0) reject(kernel, `axes must be a whole number, got ${axes}`);
  if (!Number.isInteger(grid) || grid < 0 || grid > axes) {
    reject(kernel, `grid must be a whole number from 0 to its ${axes} axes, got ${grid}`);
  }
  const gridAxes = range(0, grid);
  const place = (name: string, over: readonly number[], readable: number): Place => {
    checkOver(kernel, name, over);
    return {
      kernel,
      name,
      axes,
      usable: [...gridAxes, ...over],
      stages: stages.map((s) => s.dtype),
      readable,
    };
  };

  stages.forEach((stage, i) => {
    const at = place(`stage ${i}`, stage.over, i);
    checkExpr(at, stage.value);
    rejectHalf(kernel, `the value of stage ${i}`, stage.value.dtype);
    checkReduction(at, stage);
  });
  writes.forEach((write, i) => {
    checkWrite(place(`write ${i}`, write.over, stages.length), write);
  });
  checkAllWritten(kernel);
  kernel.checks?.forEach(({ over, holds }, i) => {
    const at = place(`check ${i}`, over, stages.length);
    checkExpr(at, holds);
    expectDType(at, "its condition", holds.dtype, "bool");
  });
}

function checkOver(kernel: LoopKernel, name: string, over: readonly number[]): void {
  over.forEach((axis, i) => {
    if (!Number.isInteger(axis) || axis < 0 || axis >= kernel.axes) {
      reject(kernel, `${name} goes over axis ${axis}, but the kernel has ${kernel.axes} axes`);
    }
    if (axis < kernel.grid) reject(kernel, `${name} goes over axis ${axis}, which is a grid axis`);
    if (over.indexOf(axis) !== i) reject(kernel, `${name} goes over axis ${axis} twice`);
  });
}

function checkReduction(at: Place, { op, value, dtype }: Stage): void {
  const { kernel, name } = at;
  switch (op) {
    case "argmax":
    case "argmin":
      expectDType(at, `the result of ${op}`, dtype, "i32");
      return;
    case "sum":
    case "prod":
      if (value.dtype === "bool") {
        reject(kernel, `${name}: ${op} takes numbers, but its value is bool; cast it to i32`);
      }
      expectDType(at, `the result of ${op}`, dtype, value.dtype);
      return;
    case "max":
    case "min":
      expectDType(at, `the result of ${op}`, dtype, value.dtype);
      return;
    default:
      reject(kernel, `${name} has the unknown reduction "${op satisfies never}"`);
  }
}

function validateContract(kernel: ContractKernel): void {
  const { groups, a, b, accumulate, writes } = kernel;
  for (const [group, count] of Object.entries(groups)) {
    if (!Number.isInteger(count) || count < 0) {
      reject(kernel, `the number of ${group} axes must be a whole number, got ${count}`);
    }
  }
  const m = groups.batch;
  const n = m + groups.m;
  const k = n + groups.n;
  const axes = k + groups.k;
  const batchAxes = range(0, m);
  const place = (name: string, own: readonly number[], readable = 0): Place => {
    return { kernel, name, axes, usable: [...batchAxes, ...own], stages: [accumulate], readable };
  };
  const operands = [
    ["a", a, [...range(m, n), ...range(k, axes)]],
    ["b", b, range(n, axes)],
  ] as const;
  for (const [name, operand, own] of operands) {
    checkExpr(place(name, own), operand);
    rejectHalf(kernel, name, operand.dtype);
    if (operand.dtype === "bool") reject(kernel, `${name} must be of numbers, got bool`);
  }
  expectDType(place("b", []), "its value", b.dtype, a.dtype);
  // Wider sums are allowed: f32 operands may be summed in f64.
  if (!(accumulate === "f64" && a.dtype === "f32")) {
    expectDType(place("the sum", []), "accumulate", accumulate, a.dtype);
  }
  const output = range(m, k);
  writes.forEach((write, i) => {
    checkWrite(place(`write ${i}`, output, 1), write);
  });
  checkAllWritten(kernel);
}

function checkWrite(at: Place, { buffer, index, value }: Omit<Output, "over">): void {
  const { outputs } = at.kernel;
  if (outputs[buffer] === undefined) {
    reject(at.kernel, `${at.name} goes to output ${buffer}, but ${has(outputs, "output")}`);
  }
  checkIndex(at, index);
  checkExpr(at, value);
  expectDType(at, "its value", value.dtype, outputs[buffer]);
}

function checkAllWritten(kernel: LoopKernel | ContractKernel): void {
  kernel.outputs.forEach((_, buffer) => {
    if (!kernel.writes.some((write) => write.buffer === buffer)) {
      reject(kernel, `nothing is written to output ${buffer}`);
    }
  });
}

function checkIndex(at: Place, index: Expr): void {
  const place = { ...at, name: `${at.name}'s index` };
  checkExpr(place, index);
  expectDType(place, "it", index.dtype, "i32");
}

function validateNative(kernel: NativeKernel): void {
  const { native, inputs, outputs, params, attrs } = kernel;
  if (params.length > 0) reject(kernel, `${native} takes no params, got ${params.length}`);
  const count = (list: "inputs" | "outputs", expected: number): void => {
    if (kernel[list].length !== expected) {
      reject(kernel, `${native} has ${expected} ${list}, got ${kernel[list].length}`);
    }
  };
  for (const dtype of [...inputs, ...outputs]) rejectHalf(kernel, `a buffer of ${native}`, dtype);
  const at: Place = { kernel, name: native, axes: 0, usable: [], stages: [], readable: 0 };
  switch (native) {
    case "scatterAdd":
      count("inputs", 3);
      count("outputs", 1);
      if (inputs[0] === "bool") reject(kernel, "scatterAdd takes numbers, but its base is bool");
      expectDType(at, "the index", inputs[1], "i32");
      expectDType(at, "the source", inputs[2], inputs[0]);
      expectDType(at, "the output", outputs[0], inputs[0]);
      if (!Number.isInteger(attrs.axis) || Number(attrs.axis) < 0) {
        reject(kernel, `scatterAdd: the attribute "axis" must be a whole number, got ${attrs.axis}`);
      }
      return;
    case "scatterRows":
      count("inputs", 3);
      count("outputs", 1);
      expectDType(at, "the index", inputs[1], "i32");
      expectDType(at, "the source", inputs[2], inputs[0]);
      expectDType(at, "the output", outputs[0], inputs[0]);
      if (!scatterings.includes(attrs.op as Scattering)) {
        reject(
          kernel,
          `scatterRows: the attribute "op" must be one of ${scatterings.join(", ")}, got ${attrs.op}`,
        );
      }
      if (inputs[0] === "bool" && attrs.op !== "set")
        reject(kernel, `scatterRows takes numbers for ${attrs.op}, but its base is bool`);
      if (typeof attrs.full !== "boolean")
        reject(kernel, `scatterRows: the attribute "full" must be true or false, got ${attrs.full}`);
      return;
    case "host":
      if (typeof kernel.host !== "function") reject(kernel, "a host native must bring a function");
      if (kernel.outputs.length === 0) reject(kernel, "host has no output");
      return;
    case "argsort":
      count("inputs", 1);
      count("outputs", 1);
      expectDType(at, "the output", outputs[0], "i32");
      if (typeof attrs.descending !== "boolean") {
        reject(kernel, `argsort: the attribute "descending" must be true or false, got ${attrs.descending}`);
      }
      return;
    case "cumulate": {
      count("inputs", 1);
      count("outputs", 1);
      const op = attrs.op as Cumulation;
      if (!cumulations.includes(op)) {
        reject(kernel, `cumulate: the attribute "op" must be one of ${cumulations.join(", ")}, got ${op}`);
      }
      const position = op === "argmax" || op === "argmin";
      const dtype = inputs[0] as DType;
      if ((dtype === "bool" && !position) || (op === "logsumexp" && !isFloat(dtype)))
        reject(kernel, `cumulate: ${op} does not take ${dtype}`);
      expectDType(at, "the output", outputs[0], position ? "i32" : inputs[0]);
      return;
    }
    default:
      reject(kernel, `unknown native "${native satisfies never}"`);
  }
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

function has(list: readonly unknown[], what: string): string {
  return `the kernel has ${list.length} ${what}${list.length === 1 ? "" : "s"}`;
}
