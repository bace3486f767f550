import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { cosineEmbedding } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const a = f64([
  [1, 0],
  [1, 0],
  [1, 1],
]);
const b = f64([
  [0, 2],
  [3, 0],
  [1, 0],
]);

describe("cosineEmbedding", () => {
  it("is 1 - cos of similar pairs and max(0, cos - margin) of others", () => {
    const similar = cosineEmbedding(a, b, f64([1, 1, 1]), none).data();
    const dissimilar = cosineEmbedding(a, b, f64([-1, -1, -1]), { ...none, margin: 0.5 }).data();
    [0, 1, Math.SQRT1_2].forEach((cosine, i) => {
      expect(similar[i]).toBeCloseTo(1 - cosine, 11);
      expect(dissimilar[i]).toBeCloseTo(Math.max(0, cosine - 0.5), 11);
    });
  });

  it("takes one pair, and vectors of zeros", () => {
    expect(cosineEmbedding(f64([1, 2]), f64([2, 4]), f64(1)).item()).toBeCloseTo(0, 11);
    expect(cosineEmbedding(f64([0, 0]), f64([2, 4]), f64(1)).item()).toBe(1);
  });

  it("refuses targets that are not one per pair", () => {
    expect(() => cosineEmbedding(a, b, a)).toThrow("one target per pair, [N]");
    expect(() => cosineEmbedding(a, f64([[1, 2]]), f64([1]))).toThrow("first [3, 2] and second [1, 2]");
    expect(() => cosineEmbedding(a, b, f64([1, 0, 1]))).toThrow("targets must be 1 or -1, got 0 at row 1");
  });
});
