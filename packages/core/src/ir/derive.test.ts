import { describe, expect, it } from "vitest";
import type { DType } from "../dtype.js";
import { evaluate } from "../interpreter/run-kernel.fixture.js";
import * as c from "./calculus.js";
import { gradientExprs } from "./derive.js";
import { cast, constant, type Expr, input, substitute } from "./expr.js";
import { resultDType, type ScalarOp, type ScalarOpName, scalarOp, scalarOps } from "./scalar-ops.js";

const differentiable = (Object.keys(scalarOps) as ScalarOpName[]).filter(
  (name) => scalarOp(name)?.gradient !== undefined,
);

/** Points inside the domain and away from kinks. */
const general = [-1.7, -0.6, 0.35, 1.2];
const positive = [0.2, 0.7, 1.4, 3.1];
const pairs = [
  [-1.7, 0.9],
  [0.6, -1.3],
  [2.3, 0.4],
  [-0.5, -0.8],
] as const;
const points: Partial<Record<ScalarOpName, readonly (readonly number[])[]>> = {
  log: positive.map((x) => [x]),
  log2: positive.map((x) => [x]),
  log10: positive.map((x) => [x]),
  log1p: positive.map((x) => [x - 0.9]),
  sqrt: positive.map((x) => [x]),
  rsqrt: positive.map((x) => [x + 0.3]),
  tan: [[-0.9], [0.35], [1.1]],
  asin: [[-0.8], [0.1], [0.6]],
  acos: [[-0.8], [0.1], [0.6]],
  atanh: [[-0.8], [0.1], [0.6]],
  acosh: positive.map((x) => [1.1 + x]),
  pow: [
    [0.4, 1.7],
    [2.1, -0.8],
    [1.3, 0.2],
    [3, 2],
  ],
  remainder: [
    [5.3, 2],
    [-5.3, 2],
    [5.3, -2],
  ],
  fmod: [
    [5.3, 2],
    [-5.3, 2],
    [5.3, -2],
  ],
  leakyRelu: [
    [-1.2, 0.1],
    [0.8, 0.1],
  ],
  elu: [
    [-1.2, 0.7],
    [0.8, 0.7],
  ],
  lgamma: [[-1.6], [0.35], [1.2], [4.2]],
  digamma: [[-1.6], [0.45], [1.2], [4.2]],
  polygamma: [
    [-1.6, 1],
    [0.8, 1],
    [1.7, 2],
    [4.2, 3],
  ],
  erfinv: [[-0.8], [0.1], [0.6]],
  xlogy: [
    [-1.7, 0.9],
    [0.6, 1.3],
    [0.1, 0.4],
  ],
  hardtanh: [
    [0.4, -1, 1],
    [-2.5, -1, 1],
    [1.7, -1, 1],
  ],
  where: [
    [1, 0.3, 0.6],
    [0, 0.3, 0.6],
  ],
  clamp: [
    [0.4, -1, 1],
    [-2.5, -1, 1],
    [1.7, -1, 1],
  ],
};

function pointsOf(name: ScalarOpName, arity: number): readonly (readonly number[])[] {
  return points[name] ?? (arity === 1 ? general.map((x) => [x]) : pairs);
}

function dtypesOf(row: ScalarOp): DType[] {
  return Array.from({ length: row.arity }, (_, i) => (row.typing === "select" && i === 0 ? "bool" : "f64"));
}

/** The gradients of `expr` as functions of its operands alone: cotangent 1, the result written out. */
function partials(expr: Expr, operands: number): (Expr | undefined)[] {
  return gradientExprs(expr, operands).map(
    (gradient) =>
      gradient &&
      substitute(gradient, (e) => {
        if (e.kind !== "input" || e.index < operands) return undefined;
        return e.index === operands ? constant(1, "f64") : expr;
      }),
  );
}

/** The derivative by operand k, from five points: the error is about 1e-11 of the fifth derivative. */
function differences(
  expr: Expr,
  at: readonly (readonly number[])[],
  dtypes: readonly DType[],
  k: number,
): number[] {
  const h = 2e-3;
  const shifted = (by: number): number[] =>
    evaluate(
      expr,
      dtypes.map((_, i) => at.map((point) => (point[i] as number) + (i === k ? by * h : 0))),
      dtypes,
    );
  const [a, b, d, e] = [shifted(-2), shifted(-1), shifted(1), shifted(2)] as [
    number[],
    number[],
    number[],
    number[],
  ];
  return at.map((_, i) => {
    return ((a[i] as number) - 8 * (b[i] as number) + 8 * (d[i] as number) - (e[i] as number)) / (12 * h);
  });
}

function expectPartials(
  expr: Expr,
  at: readonly (readonly number[])[],
  dtypes: readonly DType[],
  digits: number,
): void {
  const columns = dtypes.map((_, i) => at.map((point) => point[i] as number));
  partials(expr, dtypes.length).forEach((gradient, k) => {
    if (dtypes[k] === "bool") {
      expect(gradient).toBeUndefined();
      return;
    }
    const expected = differences(expr, at, dtypes, k);
    const actual = gradient === undefined ? at.map(() => 0) : evaluate(gradient, columns, dtypes);
    actual.forEach((value, i) => {
      const scale = Math.max(1, Math.abs(expected[i] as number));
      expect(Math.abs(value - (expected[i] as number)) / scale, `operand ${k} at ${at[i]}`).toBeLessThan(
        digits,
      );
    });
  });
}

describe.each(differentiable)("%s", (name) => {
  const row = scalarOp(name) as ScalarOp;
  const dtypes = dtypesOf(row);
  const args = dtypes.map((dtype, i) => input(i, dtype));
  const expr: Expr = { kind: "op", op: name, args, dtype: resultDType(row, "f64") };
  const at = pointsOf(name, row.arity);

  it("has the gradient that finite differences show", () => {
    expectPartials(expr, at, dtypes, 1e-8);
  });

  it("has the second derivative too", () => {
    for (const first of partials(expr, dtypes.length)) {
      if (first !== undefined) expectPartials(first, at, dtypes, 1e-7);
    }
  });
});

describe("gradientExprs", () => {
  const x = input(0, "f64");
  const y = input(1, "f64");

  it("applies the chain rule through shared parts", () => {
    const s = c.mul(x, y);
    const shared = c.add(c.sin(s), c.mul(c.exp(s), s));
    expectPartials(shared, pairs, ["f64", "f64"], 1e-8);
  });

  it("adds up the shares of an operand that occurs several times", () => {
    expectPartials(
      c.mul(x, c.mul(x, input(0, "f64"))),
      general.map((v) => [v]),
      ["f64"],
      1e-8,
    );
  });

  it("takes the identity: the gradient is the cotangent", () => {
    expect(gradientExprs(x, 1)).toEqual([input(1, "f64")]);
  });

  it("reads the result instead of computing it again", () => {
    const [gradient] = gradientExprs(c.exp(x), 1);
    expect(gradient).toEqual(c.mul(input(1, "f64"), input(2, "f64")));
  });

  it("gives nothing for operands without a gradient", () => {
    const index = input(1, "i32");
    expect(gradientExprs(c.add(x, cast(index, "f64")), 2)[1]).toBeUndefined();
    expect(gradientExprs(c.greater(x, y), 2)).toEqual([undefined, undefined]);
    expect(gradientExprs(x, 2)[1]).toBeUndefined();
  });

  it("gives zero through rounding", () => {
    const [gradient] = gradientExprs(c.floor(x), 1);
    expect(evaluate(gradient as Expr, [[1.5], [3], [1]], ["f64", "f64", "f64"])).toEqual([0]);
  });

  it("casts the cotangent back where the value was cast", () => {
    const half = input(0, "f32");
    const [gradient] = gradientExprs(c.mul(cast(half, "f64"), constant(3, "f64")), 1);
    expect(gradient?.dtype).toBe("f32");
    expect(evaluate(gradient as Expr, [[2], [5], [6]], ["f32", "f64", "f64"])).toEqual([15]);
  });

  it("derives once and remembers", () => {
    const expr = c.tanh(x);
    expect(gradientExprs(expr, 1)).toBe(gradientExprs(expr, 1));
  });

  it.each([
    ["relu", [0], [0]],
    ["abs", [0], [0]],
    ["hardtanh", [1, 0, 1], [0, 0, 1]],
    ["clamp", [1, 0, 1], [1, 0, 0]],
    ["clamp", [0, 0, 1], [1, 0, 0]],
    ["maximum", [2, 2], [0.5, 0.5]],
    ["minimum", [2, 2], [0.5, 0.5]],
    ["pow", [0, 2], [0, 0]],
    ["pow", [2, 0], [0, Math.LN2]],
  ] as const)("%s has PyTorch's gradient at its kink %j", (name, point, expected) => {
    const dtypes = point.map((): DType => "f64");
    const expr: Expr = { kind: "op", op: name, args: dtypes.map((d, i) => input(i, d)), dtype: "f64" };
    const columns = point.map((v) => [v]);
    const actual = partials(expr, point.length).map((g) => evaluate(g as Expr, columns, dtypes)[0]);
    actual.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 12);
    });
  });
});
