import { mapTree } from "@gradus/core";
import { key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type SophiaOptions, sophia } from "./index.js";
import { each, type Matrix, near, type Rows, runMatrix } from "./run-rule.fixture.js";

const start = [[0.5, -1, 2]];
const gradients = [[[1, -2, 0.5]], [[-0.5, 1, 2]], [[0, 0.1, -0.2]], [[3, 1, 1]], [[1, 1, -1]]];
/** The Hessian, whose diagonal Hutchinson's estimate has times the square of a normal number. */
const curvatures = [2, 0.5, -1];

const base = key(3);
const hvp = (v: Matrix): Matrix => ({ w: v.w.mul(tensor([curvatures], { dtype: "f64" })) });

/** The paper's algorithm 3, with the estimator of its algorithm 1. */
function reference(options: SophiaOptions & { lr?: number; weightDecay?: number }): Rows[] {
  const { lr = 1e-4, beta1 = 0.96, beta2 = 0.99, gamma = 0.01, eps = 1e-12, every = 10 } = options;
  const { weightDecay = 0.1 } = options;
  const u = base.foldIn(0).normal([1, 3], { dtype: "f64" }).toArray() as Rows;
  const estimate = each(u, (x, c) => c * x * x, [curvatures]);
  let p: Rows = start;
  let [m, h] = [each(start, () => 0), each(start, () => 0)];
  return gradients.map((g, t) => {
    m = each(m, (x, y) => beta1 * x + (1 - beta1) * y, g);
    if (t % every === 0) h = each(h, (x, y) => beta2 * x + (1 - beta2) * y, estimate);
    const ratio = each(m, (x, y) => Math.min(1, Math.max(-1, x / Math.max(gamma * y, eps))), h);
    p = each(p, (x, r) => x - lr * weightDecay * x - lr * r, ratio);
    return p;
  });
}

describe("sophia", () => {
  const cases: (SophiaOptions & { lr?: number; weightDecay?: number })[] = [
    {},
    { lr: 0.1, gamma: 10, every: 2, weightDecay: 0 },
    { lr: 0.1, beta1: 0.5, beta2: 0.5, gamma: 1, every: 1, eps: 1e-3 },
  ];
  it.each(cases)(
    "takes the paper's steps with %o, eager and compiled, told its variant or not",
    (options) => {
      const want = near(reference(options), (x) => expect.closeTo(x, 12));
      for (const how of [{}, { compiled: true }, { compiled: true, told: true }]) {
        const context = { key: base, hvp };
        expect(runMatrix(sophia(options), start, gradients, { ...how, context }).params).toEqual(want);
      }
    },
  );

  it("asks for Hessian products in steps that renew the curvature alone", () => {
    let asked = 0;
    const counting = (v: Matrix): Matrix => {
      asked++;
      return hvp(v);
    };
    runMatrix(sophia({ every: 3 }), start, gradients, { context: { key: base, hvp: counting } });
    expect(asked).toBe(2);
  });

  it("is Newton's step where nothing is clipped and all is known at once", () => {
    const rule = sophia({ lr: 1, beta1: 0, beta2: 0, gamma: 1, weightDecay: 0, every: 1 });
    const ones = { ...base, foldIn: () => ({ normal: () => tensor([[1, 1, 1]], { dtype: "f64" }) }) };
    const context = { key: ones as unknown as typeof base, hvp: (v: Matrix) => mapTree(v, (x) => x.mul(4)) };
    const { params } = runMatrix(rule, start, [[[2, -1, 0.4]]], { context });
    expect(params).toEqual([[[0, -0.75, 1.9]]]);
  });

  it("says what the context lacks", () => {
    const run = (context: object) => () => runMatrix(sophia(), start, gradients, { context });
    expect(run({ key: base })).toThrow("sophia: the context has no hvp. Pass hvp: (vector) =>");
    expect(run({ hvp })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it.each<[SophiaOptions, string]>([
    [{ lr: -1 }, "lr must be a number of at least 0"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ gamma: 0 }, "gamma must be a number above 0, got 0"],
    [{ every: 0 }, "every must be a whole number"],
  ])("refuses %o", (options, message) => {
    expect(() => sophia(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => sophia(options)).toThrow(`sophia: ${message}`);
  });
});
