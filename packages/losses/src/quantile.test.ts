import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { l1, quantile } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const [p, t] = [f64([1, 3, 2]), f64([2, 2, 2])];

describe("quantile", () => {
  it("is q e of targets above the prediction and (q - 1) e of those below", () => {
    expect(quantile(p, t, { ...none, q: 0.75 }).toArray()).toEqual([0.75, 0.25, 0]);
  });

  it("is half of l1 for the median", () => {
    expect(quantile(p, t).item()).toBe(l1(p, t).item() / 2);
  });

  it("is least at the quantile", () => {
    const targets = Array.from({ length: 101 }, (_, i) => i);
    const cost = (x: number) => quantile(f64(targets.map(() => x)), f64(targets), { q: 0.9 }).item();
    expect(cost(90)).toBeLessThan(cost(89));
    expect(cost(90)).toBeLessThan(cost(91));
  });

  it("refuses quantiles of 0 and 1", () => {
    for (const q of [0, 1, Number.NaN])
      expect(() => quantile(p, t, { q })).toThrow("q must be between 0 and 1");
  });
});
