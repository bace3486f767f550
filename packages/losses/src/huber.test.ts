import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { huber, mse } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const [p, t] = [f64([0, 0, 0, 0]), f64([0.5, -1, 2, -4])];

describe("huber", () => {
  it("is d^2 / 2 up to delta and delta (d - delta / 2) beyond", () => {
    expect(huber(p, t, none).toArray()).toEqual([0.125, 0.5, 1.5, 3.5]);
    expect(huber(p, t, { ...none, delta: 2 }).toArray()).toEqual([0.125, 0.5, 2, 6]);
  });

  it("is half of mse where nothing exceeds delta", () => {
    expect(huber(p, t, { delta: 10 }).item()).toBe(mse(p, t).item() / 2);
  });

  it("has the gradient clamp(p - t, -delta, delta), at delta and at infinity too", () => {
    const gradient = (x: number[]) =>
      grad((q: Tensor) => huber(q, f64(x.map(() => 0)), { reduction: "sum", delta: 2 }))(f64(x));
    expect(gradient([1, -2, 2, 1e30, Number.NEGATIVE_INFINITY]).toArray()).toEqual([1, -2, 2, 2, -2]);
  });

  it("refuses a delta that is not positive", () => {
    for (const delta of [0, -1, Number.NaN]) {
      expect(() => huber(p, t, { delta })).toThrow("huber: delta must be more than 0");
    }
  });
});
