import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { bceWithLogits, multiLabelSoftMargin } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

const x = f64([
  [0.3, -2, 5],
  [1, 0, -1],
]);
const t = f64([
  [1, 0, 1],
  [0, 0.5, 1],
]);

describe("multiLabelSoftMargin", () => {
  it("is bceWithLogits averaged over the classes", () => {
    const each = bceWithLogits(x, t, { reduction: "none" }).mean(1).data();
    const got = multiLabelSoftMargin(x, t, { reduction: "none" }).data();
    each.forEach((want, i) => {
      expect(got[i]).toBeCloseTo(want, 14);
    });
  });

  it("multiplies by the classes' weights and still divides by their number", () => {
    const zeros = f64([[0, 0]]);
    expect(multiLabelSoftMargin(zeros, zeros, { weight: f64([1, 5]) }).item()).toBeCloseTo(3 * Math.LN2, 14);
    expect(() => multiLabelSoftMargin(zeros, zeros, { weight: f64([1]) })).toThrow("each of 2 classes");
  });

  it("refuses targets outside of [0, 1]", () => {
    expect(() => multiLabelSoftMargin(t, x)).toThrow("Are the arguments swapped?");
    expect(() => multiLabelSoftMargin(f64(1), f64(1))).toThrow("axis of classes");
  });
});
