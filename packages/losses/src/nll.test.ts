import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { crossEntropy, nll } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const i32 = (values: number | number[] | number[][]) => tensor(values, { dtype: "i32" });
const none = { reduction: "none" } as const;

const x = f64([
  [0.1, 0.7, -2],
  [1.5, 0.2, 0.3],
]);

describe("nll", () => {
  it("is minus the target's entry, whatever the entries are", () => {
    expect(nll(x, i32([2, 0]), none).toArray()).toEqual([2, -1.5]);
    expect(nll(f64([3, 4]), i32(1)).item()).toBe(-4);
  });

  it("of log-probabilities is crossEntropy, with weights, ignored targets and sample weights", () => {
    const options = { weight: f64([1, 2, 3]), ignoreIndex: 1, sampleWeight: f64([0.5, 2]) };
    for (const targets of [
      [2, 0],
      [1, 2],
      [1, 1],
    ]) {
      const got = nll(x.logSoftmax(1), i32(targets), options).item();
      const want = crossEntropy(x, i32(targets), options).item();
      // A mean of nothing is NaN on both sides.
      expect(Number.isNaN(want) ? 0 : got).toBeCloseTo(Number.isNaN(got) ? 0 : want, 14);
    }
  });

  it("divides by the weights that count: NaN if there are none, but 0 in a sum", () => {
    expect(nll(x, i32([-100, -100])).item()).toBeNaN();
    expect(nll(x, i32([-100, -100]), { reduction: "sum" }).item()).toBe(0);
    expect(nll(x, i32([2, 0]), { weight: f64([3, 1, 1]) }).item()).toBe((2 - 4.5) / 4);
  });

  it("gives ignored targets no gradient, not even of infinite entries", () => {
    const entries = f64([[Number.NEGATIVE_INFINITY, 0]]);
    const gradient = grad((q: Tensor) => nll(q, i32([-100]), { reduction: "sum" }))(entries);
    expect([...gradient.data()].map((g) => g + 0)).toEqual([0, 0]);
  });

  it("names what does not fit", () => {
    expect(() => nll(x, i32([0, 3]))).toThrow("nll: target 3 at row 1 is not a class: there are 3 of them");
    expect(() => nll(x, tensor([0, 1]))).toThrow("nll: class indices must be i32, got f32");
    expect(() => nll(x, i32([0]))).toThrow("expected class indices [2] (i32)");
    expect(() => nll(x, i32([0, 1]), { weight: f64([1]) })).toThrow("one number for each of 3 classes");
    expect(() => nll(f64(1), i32(0))).toThrow("nll: logProbabilities must have an axis of classes");
  });
});

describe("nll of what is no logarithm", () => {
  const classes = tensor([0, 1], { dtype: "i32" });
  const probabilities = tensor([
    [0.25, 0.75],
    [0.5, 0.5],
  ]);
  const scores = tensor([
    [2, 3],
    [-1, 0.5],
  ]);

  it("refuses probabilities", () => {
    const call = () => nll(probabilities, classes);
    expect(call).toThrow("nll: logProbabilities must not be positive, got 0.25 at row 0, position [0]");
    expect(call).toThrow("Of probabilities take the logarithm, .log()");
    expect(nll(probabilities.log(), classes, { validate: true }).item()).toBeCloseTo(Math.log(8) / 2, 6);
    expect(nll(probabilities, classes, { validate: false }).item()).toBeCloseTo(-0.375, 6);
  });

  it("takes any other scores, as PyTorch does, unless it shall validate", () => {
    expect(nll(scores, classes).item()).toBe(-1.25);
    expect(() => nll(scores, classes, { validate: true })).toThrow("must not be positive, got 2 at row 0");
  });
});
