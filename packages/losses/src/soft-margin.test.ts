import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { softMargin } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("softMargin", () => {
  it("is log(1 + exp(-t x)), without overflow", () => {
    const got = softMargin(f64([0.5, 2, -1e4]), f64([1, -1, 1]), { reduction: "none" }).data();
    expect(got[0]).toBeCloseTo(Math.log(1 + Math.exp(-0.5)), 14);
    expect(got[1]).toBeCloseTo(Math.log(1 + Math.exp(2)), 14);
    expect(got[2]).toBe(1e4);
  });

  it("refuses targets of 0", () => {
    expect(() => softMargin(f64([1]), f64([0]))).toThrow("softMargin: targets must be 1 or -1");
  });
});
