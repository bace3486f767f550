import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { dice, tversky } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

const [p, t] = [f64([[1, 1, 0, 0]]), f64([[1, 0, 1, 1]])];

describe("tversky", () => {
  it("is 1 - TP / (TP + alpha FP + beta FN)", () => {
    const got = tversky(p, t, { alpha: 0.25, beta: 0.75, smooth: 0 }).item();
    expect(got).toBeCloseTo(1 - 1 / (1 + 0.25 + 1.5), 14);
  });

  it("is dice with alpha = beta = 1/2 and half its smooth", () => {
    const [a, b] = [f64([[0.2, 0.7, 0.4]]), f64([[0, 1, 1]])];
    expect(tversky(a, b, { smooth: 0.5 }).item()).toBeCloseTo(dice(a, b).item(), 14);
  });

  it("refuses negative options", () => {
    expect(() => tversky(p, t, { alpha: -1 })).toThrow("tversky: alpha must be at least 0");
  });
});
