import { describe, expect, it } from "vitest";
import type { DType } from "../dtype.js";
import { isGradusError } from "../errors.js";
import { axisIndex, axisSize, cast, constant, type Expr, input, load, param, stage } from "./expr.js";
import type { ContractKernel, Kernel, LoopKernel, NativeKernel, Stage } from "./kernel.js";
import { validateKernel } from "./validate.js";

// Malformed kernels are made by hand, from a correct one and what is wrong with it. Types would forbid some of them.
type Broken<K> = { [Key in keyof K]?: unknown };

const x = load(0, "f32", axisIndex(1));
const zero = constant(0, "i32");
const no = constant(0, "bool");

const sumOfExp: Stage = { over: [1], op: "sum", value: x, dtype: "f32" };

function loop(changes: Broken<LoopKernel> = {}): LoopKernel {
  return {
    kind: "loop",
    name: "softmax",
    inputs: ["f32", "i32"],
    outputs: ["f32"],
    params: ["f32"],
    axes: 3,
    grid: 1,
    stages: [{ over: [1], op: "max", value: x, dtype: "f32" }, sumOfExp],
    writes: [{ over: [2], buffer: 0, index: axisIndex(2), value: stage(1, "f32") }],
    checks: [],
    ...(changes as Partial<LoopKernel>),
  };
}

/** The loop kernel with another value in its write. */
const value = (expr: Expr): LoopKernel =>
  loop({ writes: [{ over: [2], buffer: 0, index: axisIndex(2), value: expr }] });

/** The loop kernel with another second stage. */
const stages = (changes: Broken<Stage>): LoopKernel =>
  loop({ stages: [loop().stages[0], { ...sumOfExp, ...changes }] });

function op(name: string, args: readonly Expr[], dtype: DType): Expr {
  return { kind: "op", op: name, args, dtype };
}

/** A cast that is not folded, as `cast` would. */
function raw(e: Expr): Expr {
  return { kind: "cast", value: e, dtype: "f32" };
}

// Axes: batch 0, m 1, n 2, k 3.
function contract(changes: Broken<ContractKernel> = {}): ContractKernel {
  return {
    kind: "contract",
    name: "matmul",
    inputs: ["f32", "f32"],
    outputs: ["f32"],
    params: [],
    groups: { batch: 1, m: 1, n: 1, k: 1 },
    a: op("mul", [load(0, "f32", axisIndex(1)), load(0, "f32", axisIndex(3))], "f32"),
    b: op("mul", [load(1, "f32", axisIndex(0)), load(1, "f32", axisIndex(2))], "f32"),
    accumulate: "f32",
    writes: [{ buffer: 0, index: axisIndex(2), value: stage(0, "f32") }],
    ...(changes as Partial<ContractKernel>),
  };
}

function native(changes: Broken<NativeKernel> = {}): NativeKernel {
  return {
    kind: "native",
    name: "scatter",
    native: "scatterAdd",
    inputs: ["f32", "i32", "f32"],
    outputs: ["f32"],
    params: [],
    attrs: { axis: 0 },
    ...(changes as Partial<NativeKernel>),
  };
}

function sort(changes: Broken<NativeKernel> = {}): NativeKernel {
  return native({
    name: "sort",
    native: "argsort",
    inputs: ["f32"],
    outputs: ["i32"],
    attrs: { descending: false },
    ...changes,
  });
}

function cumulate(changes: Broken<NativeKernel> = {}): NativeKernel {
  return native({
    name: "sort",
    native: "cumulate",
    inputs: ["f32"],
    outputs: ["f32"],
    attrs: { op: "sum" },
    ...changes,
  });
}

const f = constant(1, "f32");
const half = constant(1, "f16");
const i = constant(1, "i32");

const malformed: readonly (readonly [rule: string, kernel: Kernel, problem: string])[] = [
  // The kernel as a whole
  ["kind", { ...loop(), kind: "scan" } as unknown as Kernel, 'unknown kind "scan"'],
  ["dtypes", loop({ inputs: ["bf16"] }), 'inputs[0] has the unknown dtype "bf16"'],
  ["dtypes of params", loop({ params: ["f8"] }), 'params[0] has the unknown dtype "f8"'],
  ["axes", loop({ axes: 1.5 }), "axes must be a whole number, got 1.5"],
  ["grid", loop({ grid: 4 }), "grid must be a whole number from 0 to its 3 axes, got 4"],

  [
    "what is read after it was written",
    loop({ aliases: [0] }),
    "output 0 may not overwrite input 0: elements are read after they are written",
  ],

  // f16 is for storage
  [
    "params of f16",
    loop({ params: ["f16"] }),
    "params[0] may not be f16, which is for storage. Cast it to f32",
  ],
  ["stages of f16", stages({ value: half, dtype: "f16" }), "the value of stage 1 may not be f16"],
  [
    "operations on f16",
    value(op("add", [half, half], "f16")),
    "write 0: add takes no f16: it is for storage",
  ],
  ["operands of f16", contract({ a: half, b: half }), "a may not be f16"],
  ["natives of f16", cumulate({ inputs: ["f16"], outputs: ["f16"] }), "a buffer of cumulate may not be f16"],

  // Leaves
  [
    "operands",
    value(input(1, "f32")),
    "write 0 holds operand 1 of an elementwise op; lowering must replace it",
  ],
  [
    "unknown expressions",
    value({ kind: "rand", dtype: "f32" } as unknown as Expr),
    'write 0 holds an unknown expression "rand"',
  ],
  [
    "dtypes of expressions",
    value({ ...f, dtype: "u8" } as unknown as Expr),
    'write 0: "const" has the unknown dtype "u8"',
  ],
  [
    "whole i32 constants",
    value(raw({ kind: "const", value: 1.5, dtype: "i32" })),
    "write 0: the constant 1.5 is not a value of i32",
  ],
  [
    "finite i32 constants",
    value(raw({ kind: "const", value: Infinity, dtype: "i32" })),
    "the constant Infinity is not a value of i32",
  ],
  [
    "i32 constants that fit",
    value(raw({ kind: "const", value: 2 ** 31, dtype: "i32" })),
    "the constant 2147483648 is not a value of i32",
  ],
  [
    "bool constants",
    value(raw({ kind: "const", value: 2, dtype: "bool" })),
    "the constant 2 is not a value of bool",
  ],
  [
    "numbers as constants",
    value({ kind: "const", value: "1", dtype: "f32" } as unknown as Expr),
    "the constant 1 is not a value of f32",
  ],
  ["axes that exist", value(cast(axisIndex(3), "f32")), "write 0 uses axis 3, but the kernel has 3 axes"],
  [
    "sizes that exist",
    value(cast(axisSize(-1), "f32")),
    "write 0 uses the size of axis -1, but the kernel has 3 axes",
  ],
  [
    "dtype of an axis",
    value({ kind: "axis", axis: 0, dtype: "f32" } as unknown as Expr),
    "write 0: an axis must be i32, got f32",
  ],
  [
    "dtype of a size",
    value({ kind: "size", axis: 0, dtype: "f32" } as unknown as Expr),
    "write 0: a size must be i32, got f32",
  ],
  ["params that exist", value(param(1, "f32")), "write 0 reads param 1, but there are 1"],
  ["dtype of a param", value(cast(param(0, "i32"), "f32")), "write 0: param 0 must be f32, got i32"],
  ["stages that exist", value(stage(2, "f32")), "write 0 reads stage 2, but there are 2"],
  ["dtype of a stage", value(cast(stage(1, "f64"), "f32")), "write 0: stage 1 must be f32, got f64"],

  // Loads
  ["inputs that exist", value(load(2, "f32", zero)), "write 0 loads from input 2, but there are 2"],
  ["dtype of a load", value(load(1, "f32", zero)), "write 0: a load from input 1 must be i32, got f32"],
  ["dtype of an index", value(load(0, "f32", f)), "the index of a load from input 0 must be i32, got f32"],
  [
    "dtype of a guard",
    value(load(0, "f32", zero, i)),
    "the guard of a load from input 0 must be bool, got i32",
  ],
  [
    "fill without guard",
    value({ kind: "load", buffer: 0, index: zero, fill: 1, dtype: "f32" }),
    "a load from input 0 has a fill but no guard",
  ],
  [
    "value of a fill",
    value(cast(load(1, "i32", zero, no, 0.5), "f32")),
    "write 0: the fill 0.5 is not a value of i32",
  ],
  [
    "indices inside of loads",
    value(load(0, "f32", axisIndex(1))),
    "write 0 uses axis 1, but it may only use 0, 2",
  ],

  // Ops
  ["ops that exist", value(op("bessel", [f], "f32")), 'write 0 uses the unknown op "bessel"'],
  ["arity", value(op("add", [f], "f32")), "write 0: add takes 2 operands, got 1"],
  ["one dtype", value(op("add", [f, i], "f32")), "the operands of add must have one dtype, got f32, i32"],
  ["result", value(op("lt", [f, f], "f32")), "write 0: the result of lt must be bool, got f32"],
  ["floats for float ops", value(op("exp", [i], "f32")), "write 0: exp takes f32 or f64, got i32"],
  [
    "numbers for arithmetic",
    value(cast(op("add", [no, no], "bool"), "f32")),
    "write 0: add takes numbers, got bool",
  ],
  [
    "bool for logic",
    value(cast(op("logicalAnd", [i, i], "bool"), "f32")),
    "write 0: logicalAnd takes bool, got i32",
  ],
  ["i32 for bits", value(op("bitAnd", [f, f], "f32")), "write 0: bitAnd takes i32, got f32"],
  ["a bool condition", value(op("where", [i, f, f], "f32")), "the condition of where must be bool, got i32"],
  [
    "one dtype to select",
    value(op("where", [no, f, i], "f32")),
    "the operands of where must have one dtype, got f32, i32",
  ],

  // Stages
  ["reductions that exist", stages({ op: "median" }), 'stage 1 has the unknown reduction "median"'],
  ["over inner axes", stages({ over: [0] }), "stage 1 goes over axis 0, which is a grid axis"],
  ["over axes that exist", stages({ over: [3] }), "stage 1 goes over axis 3, but the kernel has 3 axes"],
  ["over each axis once", stages({ over: [1, 1] }), "stage 1 goes over axis 1 twice"],
  ["own axes only", stages({ over: [2] }), "stage 1 uses axis 1, but it may only use 0, 2"],
  ["no stage reads itself", stages({ value: stage(1, "f32") }), "stage 1 reads stage 1, which is that stage"],
  [
    "no stage reads a later one",
    loop({ stages: [{ ...sumOfExp, value: stage(1, "f32") }, sumOfExp] }),
    "stage 0 reads stage 1, which comes later",
  ],
  ["dtype of a sum", stages({ dtype: "f64" }), "stage 1: the result of sum must be f32, got f64"],
  [
    "dtype of a maximum",
    stages({ op: "max", dtype: "i32" }),
    "stage 1: the result of max must be f32, got i32",
  ],
  ["dtype of a position", stages({ op: "argmax" }), "stage 1: the result of argmax must be i32, got f32"],
  [
    "sums of numbers",
    stages({ value: no, dtype: "bool" }),
    "stage 1: sum takes numbers, but its value is bool",
  ],

  // Writes and checks
  [
    "outputs that exist",
    loop({ writes: [{ over: [], buffer: 1, index: zero, value: f }] }),
    "write 0 goes to output 1, but the kernel has 1 output",
  ],
  ["dtype of a write", value(i), "write 0: its value must be f32, got i32"],
  [
    "dtype of a write's index",
    loop({ writes: [{ over: [], buffer: 0, index: f, value: f }] }),
    "write 0's index: it must be i32, got f32",
  ],
  [
    "axes of a write's index",
    loop({ writes: [{ over: [], buffer: 0, index: axisIndex(2), value: f }] }),
    "write 0's index uses axis 2, but it may only use 0",
  ],
  ["every output is written", loop({ outputs: ["f32", "f32"] }), "nothing is written to output 1"],
  [
    "checks are bool",
    loop({ checks: [{ over: [], holds: f, message: "" }] }),
    "check 0: its condition must be bool, got f32",
  ],
  [
    "checks over inner axes",
    loop({ checks: [{ over: [0], holds: no, message: "" }] }),
    "check 0 goes over axis 0, which is a grid axis",
  ],

  // Contractions
  [
    "groups",
    contract({ groups: { batch: -1, m: 1, n: 1, k: 1 } }),
    "the number of batch axes must be a whole number, got -1",
  ],
  [
    "a reads no n",
    contract({ a: load(0, "f32", axisIndex(2)) }),
    "a uses axis 2, but it may only use 0, 1, 3",
  ],
  [
    "b reads no m",
    contract({ b: load(1, "f32", axisIndex(1)) }),
    "b uses axis 1, but it may only use 0, 2, 3",
  ],
  [
    "writes read no k",
    contract({ writes: [{ buffer: 0, index: axisIndex(3), value: stage(0, "f32") }] }),
    "write 0's index uses axis 3, but it may only use 0, 1, 2",
  ],
  ["no sum in operands", contract({ a: stage(0, "f32") }), "a reads the sum, which only writes may"],
  [
    "only one sum",
    contract({ writes: [{ buffer: 0, index: zero, value: stage(1, "f32") }] }),
    "write 0 reads stage 1, but there are 1",
  ],
  ["operands of one dtype", contract({ b: i }), "b: its value must be f32, got i32"],
  ["operands of numbers", contract({ a: no }), "a must be of numbers, got bool"],
  ["dtype of the sum", contract({ accumulate: "i32" }), "the sum: accumulate must be f32, got i32"],
  [
    "dtype of a contraction's write",
    contract({ outputs: ["f64"] }),
    "write 0: its value must be f64, got f32",
  ],
  ["every output of a contraction", contract({ outputs: ["f32", "f32"] }), "nothing is written to output 1"],

  // Natives
  ["natives that exist", native({ native: "fft" }), 'unknown native "fft"'],
  ["params of natives", native({ params: ["f32"] }), "scatterAdd takes no params, got 1"],
  ["inputs of scatterAdd", native({ inputs: ["f32"] }), "scatterAdd has 3 inputs, got 1"],
  ["outputs of scatterAdd", native({ outputs: [] }), "scatterAdd has 1 outputs, got 0"],
  [
    "index of scatterAdd",
    native({ inputs: ["f32", "f32", "f32"] }),
    "scatterAdd: the index must be i32, got f32",
  ],
  [
    "source of scatterAdd",
    native({ inputs: ["f32", "i32", "i32"] }),
    "scatterAdd: the source must be f32, got i32",
  ],
  ["output of scatterAdd", native({ outputs: ["i32"] }), "scatterAdd: the output must be f32, got i32"],
  [
    "numbers for scatterAdd",
    native({ inputs: ["bool", "i32", "bool"] }),
    "scatterAdd takes numbers, but its base is bool",
  ],
  ["axis of scatterAdd", native({ attrs: {} }), 'the attribute "axis" must be a whole number, got undefined'],
  ["inputs of argsort", sort({ inputs: [] }), "argsort has 1 inputs, got 0"],
  ["output of argsort", sort({ outputs: ["f32"] }), "argsort: the output must be i32, got f32"],
  [
    "order of argsort",
    sort({ attrs: {} }),
    'the attribute "descending" must be true or false, got undefined',
  ],
  ["op of cumulate", cumulate({ attrs: { op: "mean" } }), 'the attribute "op" must be one of sum, prod'],
  ["inputs of cumulate", cumulate({ inputs: ["f32", "f32"] }), "cumulate has 1 inputs, got 2"],
  [
    "floats for logsumexp",
    cumulate({ inputs: ["i32"], attrs: { op: "logsumexp" } }),
    "cumulate: logsumexp does not take i32",
  ],
  ["numbers for sums", cumulate({ inputs: ["bool"] }), "cumulate: sum does not take bool"],
  ["output of cumulate", cumulate({ outputs: ["f64"] }), "cumulate: the output must be f32, got f64"],
  [
    "positions of cumulate",
    cumulate({ attrs: { op: "argmax" } }),
    "cumulate: the output must be i32, got f32",
  ],
];

describe("validateKernel", () => {
  it.each(malformed)("rejects: %s", (_, kernel, problem) => {
    try {
      validateKernel(kernel);
      expect.unreachable("the kernel was accepted");
    } catch (error) {
      if (!isGradusError(error, "kernel-invalid")) throw error;
      expect(error.message).toContain(`kernel "${kernel.name}": `);
      expect(error.message).toContain(problem);
    }
  });

  it.each([
    ["a loop", loop()],
    [
      "a loop that writes nothing but checks",
      loop({ outputs: [], writes: [], checks: [{ over: [1, 2], holds: no, message: "" }] }),
    ],
    ["a contraction", contract()],
    [
      "f32 summed in f64",
      contract({
        accumulate: "f64",
        outputs: ["f64"],
        writes: [{ buffer: 0, index: zero, value: stage(0, "f64") }],
      }),
    ],
    ["scatterAdd", native()],
    ["argsort", sort()],
    ["cumulate", cumulate({ inputs: ["bool"], outputs: ["i32"], attrs: { op: "argmin" } })],
    [
      "a position",
      loop({
        stages: [{ ...sumOfExp, op: "argmin", dtype: "i32" }],
        writes: [{ over: [], buffer: 0, index: zero, value: cast(stage(0, "i32"), "f32") }],
      }),
    ],
    [
      "a maximum of conditions",
      loop({
        stages: [{ ...sumOfExp, op: "max", value: no, dtype: "bool" }],
        outputs: ["bool"],
        writes: [{ over: [], buffer: 0, index: zero, value: stage(0, "bool") }],
      }),
    ],
    [
      "NaN and infinite floats",
      value(op("add", [constant(Number.NaN, "f32"), load(0, "f32", zero, no, -Infinity)], "f32")),
    ],
    ["tests of any dtype", value(cast(op("isNaN", [i], "bool"), "f32"))],
    ["a selection of conditions", value(cast(op("where", [no, no, no], "bool"), "f32"))],
  ] as const)("accepts %s", (_, kernel) => {
    expect(() => validateKernel(kernel)).not.toThrow();
  });
});
