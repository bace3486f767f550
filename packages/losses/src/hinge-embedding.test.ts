import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { hingeEmbedding } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

describe("hingeEmbedding", () => {
  it("is x of similar pairs and max(0, margin - x) of others", () => {
    const [x, t] = [f64([0.5, 0.25, 3, -1]), tensor([1, -1, -1, 1], { dtype: "i32" })];
    expect(hingeEmbedding(x, t, none).toArray()).toEqual([0.5, 0.75, 0, -1]);
    expect(hingeEmbedding(x, t, { ...none, margin: 4 }).toArray()).toEqual([0.5, 3.75, 1, -1]);
  });

  it("refuses other targets", () => {
    expect(() => hingeEmbedding(f64([1, 1]), f64([1, 2]))).toThrow("targets must be 1 or -1, got 2 at row 1");
  });
});
