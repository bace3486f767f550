import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { poissonNLL } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

describe("poissonNLL", () => {
  it("is exp(x) - t x of logarithms of rates", () => {
    const got = poissonNLL(f64([0, Math.LN2]), f64([3, 2]), none).data();
    expect(got[0]).toBe(1);
    expect(got[1]).toBeCloseTo(2 - 2 * Math.LN2, 14);
  });

  it("is x - t log(x + eps) of rates", () => {
    const got = poissonNLL(f64([2, 0]), f64([3, 0]), { ...none, logInput: false, eps: 0.5 }).data();
    expect(got[0]).toBeCloseTo(2 - 3 * Math.log(2.5), 14);
    expect(got[1]).toBeCloseTo(0, 14);
  });

  it("adds Stirling's formula for targets above 1 only", () => {
    const extra = poissonNLL(f64([0, 0, 0]), f64([0, 1, 5]), { ...none, full: true }).data();
    expect([extra[0], extra[1]]).toEqual([1, 1]);
    expect(extra[2]).toBeCloseTo(1 + 5 * Math.log(5) - 5 + 0.5 * Math.log(10 * Math.PI), 13);
    // log 5! = 4.787..., to which it comes within 1/60.
    expect((extra[2] as number) - 1).toBeCloseTo(Math.log(120), 1);
  });

  it("refuses negative counts, rates and eps", () => {
    expect(() => poissonNLL(f64([1]), f64([-1]))).toThrow("targets must not be negative, got -1 at row 0");
    const rates = { logInput: false };
    expect(() => poissonNLL(f64([-1]), f64([1]), rates)).toThrow("rates must not be negative, got -1");
    expect(() => poissonNLL(f64([1]), f64([1]), { eps: 0 })).toThrow("eps must be more than 0");
  });
});
