import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { huber, l1, smoothL1 } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const [p, t] = [f64([0, 0, 0, 0]), f64([0.5, -1, 2, -4])];

describe("smoothL1", () => {
  it("is d^2 / (2 beta) below beta and d - beta / 2 from there", () => {
    expect(smoothL1(p, t, none).toArray()).toEqual([0.125, 0.5, 1.5, 3.5]);
    expect(smoothL1(p, t, { ...none, beta: 2 }).toArray()).toEqual([0.0625, 0.25, 1, 3]);
  });

  it("is l1 with beta 0, and huber divided by beta otherwise", () => {
    expect(smoothL1(p, t, { beta: 0 }).item()).toBe(l1(p, t).item());
    expect(smoothL1(p, t, { beta: 4 }).item()).toBe(huber(p, t, { delta: 4 }).item() / 4);
  });

  it("refuses a negative or infinite beta", () => {
    for (const beta of [-1, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(() => smoothL1(p, t, { beta })).toThrow("smoothL1: beta must be at least 0");
    }
  });
});
