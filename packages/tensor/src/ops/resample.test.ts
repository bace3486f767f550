import type { Tensor } from "@gradus/core";
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

  it("takes positions from a scale, whatever the rounded size is", () => {
    // PyTorch's interpolate(x, scale_factor=2.5, mode="linear") and (x, scale_factor=0.7, mode="nearest").
    const linear = x.interpolate({ scale: 2.5 }, { mode: "linear" }).flatten().toArray() as number[];
    [1, 1.2, 2, 2.8, 4.2, 5.8, 7].forEach((value, i) => {
      expect(linear[i]).toBeCloseTo(value, 5);
    });
    expect(x.interpolate({ scale: 0.7 }).flatten().toArray()).toEqual([1, 3]);
    expect(
      x
        .interpolate({ scale: [2] })
        .flatten()
        .toArray(),
    ).toEqual([1, 1, 3, 3, 7, 7]);
    expect(() => x.interpolate({ scale: 0.1 })).toThrow("the scale 0.1 leaves nothing of an axis of 3");
    expect(() => x.interpolate({ scale: 0 })).toThrow("the scale must be finite and positive");
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

  // Numbers of PyTorch's `interpolate`, in float64.
  const grid = tensor(
    [
      [1, 3, 7, 2],
      [0, 5, -1, 4],
      [2, 2, 6, 8],
    ],
    { dtype: "f64" },
  ).reshape([1, 1, 3, 4]);
  const near = (y: Tensor, expected: number[]): void => {
    expect(y.flatten().toArray()).toEqual(expected.map((value) => expect.closeTo(value, 12)));
  };

  it("is cubic between four elements on each axis", () => {
    near(
      grid.interpolate([2, 3], { mode: "cubic" }),
      [
        1.0889304832175946, 4.76416015625, 2.713803891782408, 1.6654278790509274, 3.2733154296875,
        6.753029152199074,
      ],
    );
    near(
      grid.interpolate([5, 6], { mode: "cubic" }).slice(null, null, [0, 1]),
      [
        0.9473888888888892, 1.486999999999999, 3.771935185185183, 7.603231481481479, 5.2529999999999974,
        1.2906388888888864,
      ],
    );
    near(
      grid.interpolate([4, 7], { mode: "cubic", alignCorners: true }).slice(null, null, [1, 2]),
      [
        0.09259259259259234, 2.769675925925925, 4.703703703703703, 2.949652777777777, 0.7407407407407396,
        1.4618055555555542, 2.925925925925925,
      ],
    );
  });

  it("takes the mean of areas, or the nearest to the middle", () => {
    near(grid.interpolate([2, 3], { mode: "area" }), [2.25, 3.5, 3, 2.25, 3, 4.25]);
    expect(x.interpolate(5, { mode: "nearest-exact" }).flatten().toArray()).toEqual([1, 1, 3, 7, 7]);
    expect(x.interpolate(2, { mode: "nearest-exact" }).flatten().toArray()).toEqual([1, 7]);
  });

  it("wants a mode that it knows", () => {
    expect(() => x.interpolate(2, { mode: "sinc" as "linear" })).toThrow(
      'mode must be one of "nearest", "nearest-exact", "linear", "cubic", "area", got sinc',
    );
  });
});
