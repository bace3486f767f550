import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { hinge } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const [x, t] = [f64([2, 0.5, 1, -3]), f64([1, 1, -1, -1])];

describe("hinge", () => {
  it("is max(0, margin - t x)^p", () => {
    expect(hinge(x, t, none).toArray()).toEqual([0, 0.5, 2, 0]);
    expect(hinge(x, t, { ...none, p: 2, margin: 2 }).toArray()).toEqual([0, 2.25, 9, 0]);
  });

  it("has the gradient -t up to the margin and with it", () => {
    const gradient = grad((s: Tensor) => hinge(s, f64([1, 1, -1]), { reduction: "sum" }));
    expect([...gradient(f64([1, 1.5, 0])).data()].map((g) => g + 0)).toEqual([-1, 0, 1]);
  });

  it("refuses targets of 0 and other powers", () => {
    expect(() => hinge(f64([1]), f64([0]))).toThrow("hinge: targets must be 1 or -1, got 0 at row 0");
    expect(() => hinge(f64([0.5]), f64([0]))).toThrow("targets.mul(2).sub(1)");
    expect(() => hinge(f64([-1]), f64([0.3]))).toThrow(
      "Are the arguments swapped? hinge(predictions, targets)",
    );
    expect(() => hinge(x, t, { p: 3 as 2 })).toThrow("hinge: p must be 1 or 2, got 3");
  });
});
