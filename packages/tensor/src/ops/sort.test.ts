import { describe, expect, it } from "vitest";
import { tensor } from "../create.js";

const { NaN: nan } = Number;

describe("sort and argsort", () => {
  it("sort any axis, equal values in their order, NaN as the greatest", () => {
    const { values, indices } = tensor([3, 1, nan, 1, 2]).sort();
    expect(values.toArray()).toEqual([1, 1, 2, 3, nan]);
    expect(indices.toArray()).toEqual([1, 3, 4, 0, 2]);
    expect(indices.dtype).toBe("i32");
    const x = tensor([
      [3, 1],
      [2, 4],
      [2, 0],
    ]);
    expect(x.sort(0, { descending: true }).values.toArray()).toEqual([
      [3, 4],
      [2, 1],
      [2, 0],
    ]);
    expect(x.argsort(0).toArray()).toEqual([
      [1, 2],
      [2, 0],
      [0, 1],
    ]);
  });

  it("take scalars and nothing", () => {
    expect(tensor(7).sort().values.item()).toBe(7);
    expect(tensor(7).argsort().item()).toBe(0);
    expect(tensor([], { shape: [3, 0] }).sort(1).values.shape).toEqual([3, 0]);
    expect(() => tensor([1]).sort(1)).toThrow("sort: axis 1 of a 1-dimensional tensor");
  });
});

describe("topk, kthvalue, median", () => {
  const x = tensor([
    [5, 1, 4, 2],
    [0, 7, 7, 3],
  ]);

  it("choose along an axis", () => {
    expect(x.topk(2).values.toArray()).toEqual([
      [5, 4],
      [7, 7],
    ]);
    expect(x.topk(1, 0, { largest: false }).indices.toArray()).toEqual([[1, 0, 0, 0]]);
    expect(x.topk(0).values.shape).toEqual([2, 0]);
    expect(x.kthvalue(2).values.toArray()).toEqual([2, 3]);
    expect(x.kthvalue(2, 0, { keepdims: true }).values.toArray()).toEqual([[5, 7, 7, 3]]);
    expect(x.median(1).values.toArray()).toEqual([2, 3]);
    expect(x.median(1).indices.toArray()).toEqual([3, 3]);
    expect(x.median().values.item()).toBe(3);
    expect(x.median(undefined, { keepdims: true }).values.shape).toEqual([1, 1]);
  });

  it("the median of a row with NaN is NaN, and there", () => {
    const { values, indices } = tensor([
      [1, nan, 2],
      [3, 1, 2],
    ]).median(1);
    expect(values.toArray()).toEqual([nan, 2]);
    expect(indices.toArray()).toEqual([1, 2]);
  });

  it("refuse what is not there", () => {
    expect(() => x.topk(5)).toThrow("topk: k must be a whole number from 0 to 4, the axis' size, got 5");
    expect(() => x.kthvalue(0)).toThrow(
      "kthvalue: k must be a whole number from 1 to 4, the axis' size, got 0",
    );
    expect(() => tensor([], { shape: [2, 0] }).median(1)).toThrow("median: nothing to choose from");
  });
});
