import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { ntXent } from "./index.js";

const first = [
  [2, 0.3],
  [-1, 3],
  [1, 1],
];
const second = [
  [1, 0],
  [5, 5],
  [0.2, -1],
];

describe("ntXent", () => {
  it("finds each vector's partner among all others", () => {
    const all = [...first, ...second];
    const cosine = ([a, b]: number[], [c, d]: number[]) =>
      ((a as number) * (c as number) + (b as number) * (d as number)) /
      Math.hypot(a as number, b as number) /
      Math.hypot(c as number, d as number);
    const cost = (i: number, partner: number) => {
      const scores = all.map((v) => cosine(all[i] as number[], v) / 0.25);
      const others = scores.filter((_, k) => k !== i).reduce((sum, s) => sum + Math.exp(s), 0);
      return Math.log(others) - (scores[partner] as number);
    };
    const got = ntXent(tensor(first, { dtype: "f64" }), tensor(second, { dtype: "f64" }), {
      temperature: 0.25,
      reduction: "none",
    });
    expect(got.shape).toEqual([3]);
    got.data().forEach((loss, i) => {
      expect(loss).toBeCloseTo((cost(i, i + 3) + cost(i + 3, i)) / 2, 12);
    });
  });

  it("is 0 for a single pair, which has nobody else to be taken for", () => {
    expect(ntXent(tensor([[1, 2]]), tensor([[3, -1]])).item()).toBeCloseTo(0, 6);
  });

  it("refuses temperatures that are not positive and pairs that do not fit", () => {
    expect(() => ntXent(tensor(first), tensor(second), { temperature: 0 })).toThrow(
      "temperature must be more than 0",
    );
    expect(() => ntXent(tensor(first), tensor([[1, 2]]))).toThrow("first [3, 2] and second [1, 2]");
    expect(() => ntXent(tensor([1]), tensor([1]))).toThrow("first must be [N, D], got [1]");
  });
});
