import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { gaussianNLL } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

describe("gaussianNLL", () => {
  it("is (log v + d^2 / v) / 2, with log(2 pi) / 2 if full: minus the log of the density", () => {
    const got = gaussianNLL(f64([1, 3]), f64([1, 1]), f64([1, 2]), none).data();
    expect(got[0]).toBe(0);
    expect(got[1]).toBeCloseTo((Math.LN2 + 2) / 2, 14);
    const density = Math.exp(-1) / Math.sqrt(4 * Math.PI);
    const full = gaussianNLL(f64([3]), f64([1]), f64([2]), { full: true }).item();
    expect(full).toBeCloseTo(-Math.log(density), 14);
  });

  it("takes one variance per sample, with and without the last axis", () => {
    const [p, t] = [
      f64([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      f64([
        [0, 0, 0],
        [1, 1, 1],
      ]),
    ];
    const whole = gaussianNLL(
      p,
      t,
      f64([
        [2, 2, 2],
        [3, 3, 3],
      ]),
    ).item();
    expect(gaussianNLL(p, t, f64([[2], [3]])).item()).toBe(whole);
    expect(gaussianNLL(p, t, f64([2, 3])).item()).toBe(whole);
    expect(() => gaussianNLL(p, t, f64([2, 3, 4]))).toThrow("one variance per sample, [2, 1]");
  });

  it("raises variances to eps, and keeps their gradient", () => {
    const call = (v: Tensor) => gaussianNLL(f64([1]), f64([1]), v, { eps: 0.25 });
    expect(call(f64([0])).item()).toBeCloseTo(Math.log(0.25) / 2, 14);
    expect(grad(call)(f64([0])).toArray()).toEqual([2]);
  });

  it("refuses negative variances", () => {
    const call = () => gaussianNLL(f64([1, 1]), f64([1, 1]), f64([1, -1]));
    expect(call).toThrow("gaussianNLL: variances must not be negative, got -1 at row 1");
  });
});
