import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { crossEntropy, infoNCE } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const queries = f64([
  [2, 0],
  [0, 3],
  [1, 1],
]);
const keys = f64([
  [1, 0],
  [5, 5],
  [0, -1],
]);
const half = Math.SQRT1_2;
const cosines = f64([
  [1, half, 0],
  [0, half, -1],
  [half, 1, -half],
]);
const own = tensor([0, 1, 2], { dtype: "i32" });

describe("infoNCE", () => {
  it("is the cross-entropy of the cosines over the temperature, with each row's own key as class", () => {
    const got = infoNCE(queries, keys, { ...none, temperature: 0.5 }).data();
    const want = crossEntropy(cosines.mul(2), own, none).data();
    want.forEach((w, i) => {
      expect(got[i]).toBeCloseTo(w, 13);
    });
  });

  it("averages both directions if symmetric", () => {
    const there = infoNCE(queries, keys).item();
    const back = infoNCE(keys, queries).item();
    expect(infoNCE(queries, keys, { symmetric: true }).item()).toBeCloseTo((there + back) / 2, 13);
  });

  it("refuses temperatures that are not positive and pairs that do not fit", () => {
    expect(() => infoNCE(queries, keys, { temperature: 0 })).toThrow("temperature must be more than 0");
    expect(() => infoNCE(queries, f64([[1, 2]]))).toThrow("queries [3, 2] and keys [1, 2]");
    expect(() => infoNCE(f64([1]), f64([1]))).toThrow("queries must be [N, D]");
  });
});
