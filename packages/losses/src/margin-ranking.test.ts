import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { marginRanking } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

describe("marginRanking", () => {
  it("is max(0, margin - t (first - second))", () => {
    const [first, second, t] = [f64([3, 1, 2, 2]), f64([1, 2, 2, 5]), f64([1, 1, -1, -1])];
    expect([...marginRanking(first, second, t, none).data()].map(Math.abs)).toEqual([0, 1, 0, 0]);
    expect(marginRanking(first, second, t, { ...none, margin: 2.5 }).toArray()).toEqual([0.5, 3.5, 2.5, 0]);
  });

  it("names the argument that does not fit", () => {
    expect(() => marginRanking(f64([1]), f64([1, 2]), f64([1]))).toThrow(
      "first [1] and second [2] must have",
    );
    expect(() => marginRanking(f64([1]), f64([1]), f64([[1]]))).toThrow("first [1] and targets [1, 1]");
    expect(() => marginRanking(f64([1]), f64([1]), f64([0]))).toThrow("targets must be 1 or -1");
  });
});
