import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { multiLabelMargin } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const i32 = (values: number | number[] | number[][]) => tensor(values, { dtype: "i32" });

const x = f64([[0.1, 0.2, 0.4, 0.8]]);

describe("multiLabelMargin", () => {
  it("is 0.85 for PyTorch's example: what follows -1 is no label", () => {
    // Labels 3 and 0 against 1 and 2: (0.4 + 0.6 + 1.1 + 1.3) / 4
    expect(multiLabelMargin(x, i32([[3, 0, -1, 1]])).item()).toBeCloseTo(0.85, 14);
    expect(multiLabelMargin(x.reshape([4]), i32([3, 0, -1, 1])).item()).toBeCloseTo(0.85, 14);
  });

  it("counts a label twice that is listed twice", () => {
    const once = multiLabelMargin(x, i32([[3, -1, 0, 0]])).item();
    expect(multiLabelMargin(x, i32([[3, 3, -1, 0]])).item()).toBeCloseTo(2 * once, 14);
  });

  it("is 0 without labels and with all of them", () => {
    expect(multiLabelMargin(x, i32([[-1, 0, 1, 2]])).item()).toBe(0);
    expect(multiLabelMargin(x, i32([[3, 2, 1, 0]])).item()).toBe(0);
  });

  it("refuses labels that are no classes, and floats", () => {
    expect(() => multiLabelMargin(x, i32([[4, 0, 0, 0]]))).toThrow("label 4 at row 0, position [0] is not");
    expect(() => multiLabelMargin(x, i32([[-2, 0, 0, 0]]))).toThrow("-1 ends a row");
    expect(() => multiLabelMargin(x, x)).toThrow("multiLabelSoftMargin");
  });
});
