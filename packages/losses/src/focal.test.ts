import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { bceWithLogits, focal } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const [x, t] = [f64([0.3, -2, 5]), f64([1, 0, 1])];

describe("focal", () => {
  it("is alpha (1 - p)^gamma (-log p) of positives, and so on", () => {
    const p = 1 / (1 + Math.exp(-0.3));
    const got = focal(x, t, { ...none, alpha: 0.3, gamma: 1.5 }).data()[0];
    expect(got).toBeCloseTo(-0.3 * (1 - p) ** 1.5 * Math.log(p), 14);
    const q = 1 / (1 + Math.exp(2));
    const negative = focal(x, t, { ...none, alpha: 0.3, gamma: 1.5 }).data()[1];
    expect(negative).toBeCloseTo(-0.7 * q ** 1.5 * Math.log(1 - q), 14);
  });

  it("is half of bceWithLogits for gamma 0 and alpha 0.5", () => {
    const got = focal(x, t, { gamma: 0, alpha: 0.5 }).item();
    expect(got).toBeCloseTo(bceWithLogits(x, t).item() / 2, 14);
  });

  it("refuses options and targets out of range", () => {
    expect(() => focal(x, t, { alpha: 2 })).toThrow("focal: alpha must be in [0, 1], got 2");
    expect(() => focal(x, t, { gamma: -1 })).toThrow("focal: gamma must be at least 0, got -1");
    expect(() => focal(t, x)).toThrow("swapped? focal(logits, targets)");
  });
});
