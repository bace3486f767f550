import { describe, expect, it } from "vitest";
import type { DType } from "../dtype.js";
import { evaluate } from "../interpreter/run-kernel.fixture.js";
import { type Expr, input } from "./expr.js";
import {
  primitiveOps,
  resultDType,
  type ScalarOp,
  type ScalarOpName,
  scalarOp,
  scalarOps,
} from "./scalar-ops.js";

const { NaN: nan } = Number;
const inf = Infinity;

/** Operands and the value, from the definition of each function. */
const cases: Record<ScalarOpName, readonly (readonly [operands: readonly number[], value: number])[]> = {
  add: [[[2, 3], 5]],
  sub: [[[2, 3], -1]],
  mul: [[[2, 3], 6]],
  div: [
    [[3, 2], 1.5],
    [[1, 0], inf],
    [[0, 0], nan],
  ],
  pow: [
    [[2, 10], 1024],
    [[0, 0], 1],
    [[1, nan], 1],
    [[nan, 0], 1],
    [[-8, 3], -512],
    [[-1, 0.5], nan],
  ],
  maximum: [
    [[2, 3], 3],
    [[nan, 3], nan],
    [[3, nan], nan],
  ],
  minimum: [
    [[2, 3], 2],
    [[nan, 3], nan],
  ],
  atan2: [
    [[1, -1], (3 * Math.PI) / 4],
    [[-1, 0], -Math.PI / 2],
  ],
  hypot: [
    [[3, 4], 5],
    [[1e200, 1e200], Math.SQRT2 * 1e200],
    [[0, 0], 0],
    [[inf, 1], inf],
  ],
  copysign: [
    [[2, -3], -2],
    [[-2, 3], 2],
    [[2, -0], -2],
  ],
  idiv: [
    [[7, 2], 3],
    [[-7, 2], -3],
    [[7, 0], 0],
  ],
  imod: [
    [[7, 2], 1],
    [[-7, 2], -1],
    [[7, 0], 0],
  ],
  remainder: [
    [[-7, 3], 2],
    [[7, -3], -2],
  ],
  fmod: [
    [[-7, 3], -1],
    [[7, -3], 1],
  ],
  neg: [[[2], -2]],
  abs: [[[-2], 2]],
  sign: [
    [[-2], -1],
    [[0], 0],
    [[3], 1],
  ],
  square: [[[-3], 9]],
  reciprocal: [
    [[4], 0.25],
    [[0], inf],
  ],
  floor: [[[-1.5], -2]],
  ceil: [[[-1.5], -1]],
  trunc: [
    [[-1.5], -1],
    [[1.5], 1],
  ],
  round: [
    [[2.5], 2],
    [[3.5], 4],
  ],
  frac: [
    [[-1.25], -0.25],
    [[2.5], 0.5],
  ],
  exp: [
    [[1], Math.E],
    [[-inf], 0],
  ],
  exp2: [[[10], 1024]],
  expm1: [
    [[1e-20], 1e-20],
    [[1], Math.E - 1],
  ],
  log: [
    [[Math.E], 1],
    [[0], -inf],
    [[-1], nan],
  ],
  log2: [[[1024], 10]],
  log10: [[[1000], 3]],
  log1p: [[[1e-20], 1e-20]],
  sqrt: [
    [[9], 3],
    [[-1], nan],
  ],
  rsqrt: [[[4], 0.5]],
  logaddexp: [
    [[Math.log(2), Math.log(3)], Math.log(5)],
    [[-inf, -inf], -inf],
    [[900, 900], 900 + Math.LN2],
  ],
  xlogy: [
    [[2, 3], 2 * Math.log(3)],
    [[0, 0], 0],
    [[0, -1], 0],
    [[0, nan], nan],
  ],
  sin: [[[Math.PI / 6], 0.5]],
  cos: [[[Math.PI / 3], 0.5]],
  tan: [[[Math.PI / 4], 1]],
  asin: [[[0.5], Math.PI / 6]],
  acos: [[[0.5], Math.PI / 3]],
  atan: [[[1], Math.PI / 4]],
  sinc: [
    [[0.5], 2 / Math.PI],
    [[0], 1],
  ],
  sinh: [[[1], (Math.E - 1 / Math.E) / 2]],
  cosh: [[[1], (Math.E + 1 / Math.E) / 2]],
  tanh: [
    [[1], (Math.E ** 2 - 1) / (Math.E ** 2 + 1)],
    [[1000], 1],
  ],
  asinh: [[[1], Math.log(1 + Math.SQRT2)]],
  acosh: [[[2], Math.log(2 + Math.sqrt(3))]],
  atanh: [[[0.5], Math.log(3) / 2]],
  erf: [[[0.5], 0.5204998778130465]],
  erfc: [[[3], 2.209049699858544e-5]],
  erfinv: [
    [[0.5], 0.4769362762044699],
    [[-1], -inf],
    [[2], nan],
  ],
  lgamma: [
    [[0.5], Math.log(Math.PI) / 2],
    [[6], Math.log(120)],
    [[-1], inf],
  ],
  digamma: [
    [[1], -0.5772156649015329],
    [[0.5], -1.9635100260214235],
    [[-1], nan],
  ],
  polygamma: [
    [[1, 0], -0.5772156649015329],
    [[1, 1], Math.PI ** 2 / 6],
    [[0.5, 3], Math.PI ** 4],
    [[1, -1], nan],
  ],
  relu: [
    [[-2], 0],
    [[3], 3],
    [[nan], nan],
  ],
  sigmoid: [
    [[Math.log(3)], 0.75],
    [[-1000], 0],
  ],
  logSigmoid: [
    [[Math.log(3)], Math.log(0.75)],
    [[-1000], -1000],
  ],
  softplus: [
    [[0], Math.LN2],
    [[1000], 1000],
  ],
  silu: [[[Math.log(3)], 0.75 * Math.log(3)]],
  gelu: [
    [[1], 0.8413447460685429],
    [[-10], -7.61985302416e-23],
    [[0], 0],
  ],
  leakyRelu: [
    [[-2, 0.1], -0.2],
    [[3, 0.1], 3],
  ],
  elu: [
    [[-Math.LN2, 2], -1],
    [[3, 2], 3],
  ],
  mish: [
    [[Math.log(Math.E - 1)], Math.log(Math.E - 1) * Math.tanh(1)],
    [[0], 0],
  ],
  hardtanh: [
    [[5, 0, 2], 2],
    [[-5, 0, 2], 0],
    [[nan, 0, 2], nan],
  ],
  eq: [
    [[2, 2], 1],
    [[2, 3], 0],
    [[nan, nan], 0],
  ],
  ne: [
    [[2, 2], 0],
    [[nan, nan], 1],
  ],
  lt: [
    [[2, 3], 1],
    [[3, 3], 0],
    [[nan, 3], 0],
  ],
  le: [
    [[3, 3], 1],
    [[4, 3], 0],
  ],
  gt: [
    [[3, 2], 1],
    [[3, 3], 0],
  ],
  ge: [
    [[3, 3], 1],
    [[2, 3], 0],
  ],
  isNaN: [
    [[nan], 1],
    [[inf], 0],
  ],
  isInf: [
    [[-inf], 1],
    [[nan], 0],
    [[1], 0],
  ],
  isFinite: [
    [[1], 1],
    [[nan], 0],
    [[inf], 0],
  ],
  logicalAnd: [
    [[1, 1], 1],
    [[1, 0], 0],
  ],
  logicalOr: [
    [[0, 1], 1],
    [[0, 0], 0],
  ],
  logicalXor: [
    [[0, 1], 1],
    [[1, 1], 0],
  ],
  logicalNot: [
    [[1], 0],
    [[0], 1],
  ],
  where: [
    [[1, 2, 3], 2],
    [[0, 2, 3], 3],
    [[0, nan, 3], 3],
  ],
  clamp: [
    [[5, 0, 2], 2],
    [[-5, 0, 2], 0],
    [[1, 0, 2], 1],
    [[nan, 0, 2], nan],
  ],
  bitAnd: [[[6, 3], 2]],
  bitOr: [[[6, 3], 7]],
  bitXor: [[[6, 3], 5]],
  shiftLeft: [[[1, 31], -2147483648]],
  shiftRight: [[[-8, 1], -4]],
  shiftRightLogical: [
    [[-1, 28], 15],
    [[-1, 0], -1],
  ],
};

function operandDTypes(row: ScalarOp): DType[] {
  const dtype = row.typing === "logic" ? "bool" : row.typing === "bits" ? "i32" : "f64";
  return Array.from({ length: row.arity }, (_, i) => (row.typing === "select" && i === 0 ? "bool" : dtype));
}

const names = Object.keys(scalarOps) as ScalarOpName[];

function expectClose(actual: number, expected: number): void {
  // 1e-11 relative: gelu(-10) is all cancellation in some definitions, and the constants above have 12 digits.
  if (Number.isFinite(expected))
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-11 * Math.abs(expected) + 1e-300);
  else expect(actual).toBe(expected);
}

describe.each(names)("%s", (name) => {
  const row = scalarOp(name) as ScalarOp;
  const dtypes = operandDTypes(row);

  it("has the values of its definition", () => {
    for (const [operands, value] of cases[name]) expectClose(row.value(...operands), value);
  });

  it("is what the interpreter computes", () => {
    const args = dtypes.map((dtype, i) => input(i, dtype));
    const expr: Expr = {
      kind: "op",
      op: name,
      args,
      dtype: resultDType(row, dtypes[dtypes.length - 1] as DType),
    };
    const columns = dtypes.map((_, i) => cases[name].map(([operands]) => operands[i] as number));
    evaluate(expr, columns, dtypes).forEach((actual, i) => {
      expectClose(actual, cases[name][i]?.[1] as number);
    });
  });
});

describe.each(names.filter((name) => scalarOp(name)?.expand !== undefined))("%s, expanded", (name) => {
  it("has the same values", () => {
    const row = scalarOp(name) as ScalarOp;
    const dtypes = operandDTypes(row);
    const expr = row.expand?.(...dtypes.map((dtype, i) => input(i, dtype))) as Expr;
    const columns = dtypes.map((_, i) => cases[name].map(([operands]) => operands[i] as number));
    evaluate(expr, columns, dtypes).forEach((actual, i) => {
      const expected = cases[name][i]?.[1] as number;
      // An expansion may be less accurate: 1 + erf cancels far below zero.
      if (!Number.isFinite(expected)) expect(actual).toBe(expected);
      else expect(Math.abs(actual - expected)).toBeLessThan(1e-14 + 1e-11 * Math.abs(expected));
    });
  });
});

describe("integers", () => {
  const min = -2147483648;
  it.each([
    ["add", [2147483647, 1], min],
    ["sub", [min, 1], 2147483647],
    ["mul", [65537, 65537], 131073],
    ["neg", [min], min],
    ["abs", [min], min],
    ["square", [65537], 131073],
    ["remainder", [-7, 3], 2],
    ["remainder", [7, 0], 0],
    ["fmod", [-7, 0], 0],
    ["idiv", [min, -1], min],
    ["imod", [min, -1], 0],
    ["maximum", [3, -4], 3],
    ["sign", [-9], -1],
    ["shiftLeft", [1, 33], 2],
    ["clamp", [9, -1, 5], 5],
  ] as const)("%s of %j wraps to %i", (name, operands, value) => {
    const dtypes = operands.map((): DType => "i32");
    const args = dtypes.map((dtype, i) => input(i, dtype));
    const expr: Expr = { kind: "op", op: name, args, dtype: "i32" };
    expect(
      evaluate(
        expr,
        operands.map((x) => [x]),
        dtypes,
      ),
    ).toEqual([value]);
  });
});

describe("the table", () => {
  it("finds rows by name, and nothing that only looks like one", () => {
    expect(scalarOp("add")).toBe(scalarOps.add);
    expect(scalarOp("toString")).toBeUndefined();
  });

  it("defines all other rows by rows that backends implement", () => {
    const primitive = new Set<string>(primitiveOps());
    for (const name of names) {
      const row = scalarOp(name) as ScalarOp;
      if (row.expand === undefined) continue;
      const opsOf = (expr: Expr): string[] =>
        expr.kind === "op"
          ? [expr.op, ...expr.args.flatMap(opsOf)]
          : expr.kind === "cast"
            ? opsOf(expr.value)
            : [];
      const used = opsOf(row.expand(...operandDTypes(row).map((dtype, i) => input(i, dtype))));
      // An expansion may use other expandable rows, as long as that ends: it must not use itself.
      expect(used).not.toContain(name);
      for (const op of used) expect(primitive.has(op) || scalarOp(op)?.expand !== undefined).toBe(true);
    }
  });
});
