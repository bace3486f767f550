import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { multiMargin } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const i32 = (values: number | number[] | number[][]) => tensor(values, { dtype: "i32" });

const x = f64([[0.1, 0.2, 0.4, 0.8]]);

describe("multiMargin", () => {
  it("is the sum of max(0, margin - x[t] + x[c])^p / C over the other classes", () => {
    const short = [0.3, 0.4, 0.6];
    expect(multiMargin(x, i32([3])).item()).toBeCloseTo(short.reduce((a, b) => a + b) / 4, 14);
    const squares = short.map((s) => (s - 0.35) ** 2).slice(1);
    const squared = multiMargin(x, i32([3]), { p: 2, margin: 0.65 }).item();
    expect(squared).toBeCloseTo(squares.reduce((a, b) => a + b) / 4, 14);
  });

  it("multiplies by the target's weight, after the power, and still divides by N", () => {
    const plain = multiMargin(x, i32([3]), { p: 2 }).item();
    const weighted = multiMargin(x, i32([3]), { p: 2, weight: f64([1, 1, 1, 3]) }).item();
    expect(weighted).toBeCloseTo(3 * plain, 14);
  });

  it("takes one sample", () => {
    expect(multiMargin(x.reshape([4]), i32(3)).item()).toBeCloseTo(0.325, 14);
  });

  it("refuses classes that do not exist", () => {
    expect(() => multiMargin(x, i32([4]))).toThrow(
      "target 4 at row 0 is not a class: there are 4 of them, 0 to 3",
    );
    expect(() => multiMargin(x, i32([4]))).toThrow(expect.objectContaining({ code: "index-out-of-range" }));
    expect(() => multiMargin(f64(1), i32(0))).toThrow("scores must be [N, C] or [C]");
  });
});
