import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { heteroscedastic } from "./index.js";

const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "f64" });
const outputs = f64([
  [1, 0],
  [-2, 3],
  [0.5, -5],
]);
const targets = f64([1.5, 4, 0.4]);

describe("heteroscedastic", () => {
  it("is minus the logarithm of the normal density, as scipy.stats.norm has it", () => {
    const losses = heteroscedastic(outputs, targets, { full: true, reduction: "none" }).data();
    [1.0439385332046727, 3.3151057638262236, -0.8389956712824445].forEach((want, i) => {
      expect(losses[i]).toBeCloseTo(want, 13);
    });
  });

  it("multiplies by variance^beta without differentiating that", () => {
    const options = { reduction: "none" } as const;
    const plain = heteroscedastic(outputs, targets, options).data();
    const weighted = heteroscedastic(outputs, targets, { ...options, beta: 0.5 }).data();
    [0, 3, -5].forEach((s, i) => {
      expect(weighted[i]).toBeCloseTo((plain[i] as number) * Math.exp(s / 2), 12);
    });
    const gradient = (beta: number) =>
      grad((p: Tensor) => heteroscedastic(p, targets, { beta, reduction: "sum" }))(outputs).data();
    // With beta 1 the mean's gradient is that of half the squared error.
    [-0.5, -6, 0.1].forEach((want, i) => {
      expect(gradient(1)[2 * i]).toBeCloseTo(want, 12);
      expect(gradient(1)[2 * i + 1]).toBeCloseTo(
        (gradient(0)[2 * i + 1] as number) * Math.exp([0, 3, -5][i] as number),
        12,
      );
    });
  });

  it("lets a variance below eps grow again", () => {
    const call = (p: Tensor) => heteroscedastic(p, f64([1]), { eps: 0.01 });
    const p = f64([[0, -1e4]]);
    expect(call(p).item()).toBeCloseTo((Math.log(0.01) + 100) / 2, 12);
    expect(grad(call)(p).data()[1]).toBeCloseTo((1 - 100) / 2, 10);
  });

  it("names what does not fit", () => {
    expect(() => heteroscedastic(f64([1, 2]), f64([1, 2]))).toThrow(
      "predictions [2] do not fit targets [2]: expected [2, 2], with mean, log-variance of each target on the last axis",
    );
    expect(() => heteroscedastic(outputs, targets, { eps: 0 })).toThrow("eps must be more than 0, got 0");
    expect(() => heteroscedastic(outputs, targets, { beta: 2 })).toThrow("beta must be in [0, 1], got 2");
  });
});
