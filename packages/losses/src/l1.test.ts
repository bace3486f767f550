import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { l1 } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

describe("l1", () => {
  it("is the mean of the absolute differences", () => {
    expect(l1(f64([1, 2, 3]), f64([2, 2, 5])).item()).toBe(1);
    expect(l1(f64([1, 2, 3]), f64([2, 2, 5]), none).toArray()).toEqual([1, 0, 2]);
  });

  it("has the gradient sign(p - t), 0 where they are equal", () => {
    const gradient = grad((p: Tensor) => l1(p, f64([2, 2, 2]), { reduction: "sum" }))(f64([1, 2, 3]));
    expect([...gradient.data()].map((g) => g + 0)).toEqual([-1, 0, 1]);
  });

  it("of nothing is NaN as a mean and 0 as a sum", () => {
    const nothing = tensor(new Float32Array(0), { shape: [0, 3] });
    expect(l1(nothing, nothing).item()).toBeNaN();
    expect(l1(nothing, nothing, { reduction: "sum" }).item()).toBe(0);
  });

  it("refuses shapes that would broadcast and integer predictions", () => {
    expect(() => l1(tensor([[1]]), tensor([1]))).toThrow("l1: predictions [1, 1] and targets [1] must have");
    expect(() => l1(tensor([1], { dtype: "i32" }), tensor([1]))).toThrow("swapped? l1(predictions, targets)");
  });
});
