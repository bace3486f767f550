import { describe, expect, it } from "vitest";
import { arange, tensor } from "../create.js";

describe("adaptiveAvgPool", () => {
  it("makes as many windows as wanted, which overlap where sizes do not divide", () => {
    const x = tensor([0, 1, 2, 3, 4]);
    expect(x.adaptiveAvgPool([1]).toArray()).toEqual([2]);
    expect(x.adaptiveAvgPool([2]).toArray()).toEqual([1, 3]);
    expect(x.adaptiveAvgPool([5]).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(x.adaptiveAvgPool([10]).toArray()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    const y = tensor([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]).adaptiveAvgPool(1);
    expect(y.toArray()).toEqual([[[[2.5]]]]);
  });

  it("an infinite element stays within its windows", () => {
    expect(tensor([1, 3, Infinity, 5]).adaptiveAvgPool([2]).toArray()).toEqual([2, Infinity]);
    expect(tensor([1, 2, Infinity]).adaptiveAvgPool([2]).toArray()).toEqual([1.5, Infinity]);
  });

  it("refuses what it cannot sample", () => {
    expect(() => arange(3).adaptiveAvgPool([2])).toThrow("adaptiveAvgPool: expected floats, got i32");
    expect(() => tensor([1]).adaptiveAvgPool(1)).toThrow("adaptiveAvgPool: the input needs a batch axis");
    expect(() => tensor([1]).adaptiveAvgPool([0])).toThrow("the size must be a whole number of at least 1");
  });
});

describe("interpolate", () => {
  const x = tensor([[[1, 3, 7]]]);

  it("repeats the nearest", () => {
    expect(x.interpolate(6).flatten().toArray()).toEqual([1, 1, 3, 3, 7, 7]);
    expect(x.interpolate(2).flatten().toArray()).toEqual([1, 3]);
    expect(x.interpolate([5]).flatten().toArray()).toEqual([1, 1, 3, 3, 7]);
  });

  it("is linear between elements: their centres, or with alignCorners the ends in place", () => {
    expect(x.interpolate(6, { mode: "linear" }).flatten().toArray()).toEqual([1, 1.5, 2.5, 4, 6, 7]);
    expect(x.interpolate(5, { mode: "linear", alignCorners: true }).flatten().toArray()).toEqual([
      1, 2, 3, 5, 7,
    ]);
    const plane = tensor([
      [
        [
          [0, 2],
          [4, 6],
        ],
      ],
    ]);
    const y = plane.interpolate([3, 3], { mode: "linear", alignCorners: true });
    expect(y.toArray()).toEqual([
      [
        [
          [0, 1, 2],
          [2, 3, 4],
          [4, 5, 6],
        ],
      ],
    ]);
  });

  it("wants a mode that it knows", () => {
    expect(() => x.interpolate(2, { mode: "cubic" as "linear" })).toThrow('"nearest" or "linear", got cubic');
  });
});
