import { describe, expect, it } from "vitest";
import { tensor } from "../create.js";

const { NaN: nan } = Number;

describe("cumsum and cumprod", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  it("run along any axis", () => {
    expect(x.cumsum(1).toArray()).toEqual([
      [1, 3, 6],
      [4, 9, 15],
    ]);
    expect(x.cumsum(0).toArray()).toEqual([
      [1, 2, 3],
      [5, 7, 9],
    ]);
    expect(x.transpose().cumprod(-2).toArray()).toEqual([
      [1, 4],
      [2, 20],
      [6, 120],
    ]);
  });

  it("count bools, keep integers, take scalars and nothing", () => {
    expect(tensor([true, false, true]).cumsum(0)).toMatchObject({ dtype: "i32" });
    expect(tensor([true, false, true]).cumsum(0).toArray()).toEqual([1, 1, 2]);
    expect(tensor(3).cumsum(0).item()).toBe(3);
    expect(tensor([], { shape: [2, 0] }).cumprod(1).shape).toEqual([2, 0]);
    expect(tensor([], { shape: [2, 0] }).cumsum(0).shape).toEqual([2, 0]);
  });

  it("want an axis that exists", () => {
    expect(() => (x.cumsum as () => unknown)()).toThrow("cumsum: name the axis, such as x.cumsum(-1)");
    expect(() => x.cumprod(2)).toThrow("cumprod: axis 2 of a 2-dimensional tensor");
  });
});

describe("logcumsumexp", () => {
  it("does not overflow, and starts from nothing", () => {
    const y = tensor([-Infinity, 1000, 1000], { dtype: "f64" }).logcumsumexp(0).toArray() as number[];
    expect(y.slice(0, 2)).toEqual([-Infinity, 1000]);
    expect(y[2]).toBeCloseTo(1000 + Math.LN2, 10);
  });

  it("takes floats only", () => {
    expect(() => tensor([1], { dtype: "i32" }).logcumsumexp(0)).toThrow(
      "logcumsumexp: expected floats, got i32",
    );
  });
});

describe("cummax and cummin", () => {
  it("give the last of equal values, and NaN from the first NaN on", () => {
    const { values, indices } = tensor([1, 3, 3, 2, nan, 9]).cummax(0);
    expect(values.toArray()).toEqual([1, 3, 3, 3, nan, nan]);
    expect(indices.toArray()).toEqual([0, 1, 2, 2, 4, 4]);
    expect(tensor([2, 3, 1, 1]).cummin(0).indices.toArray()).toEqual([0, 0, 2, 3]);
    expect(tensor(5).cummax(0).values.item()).toBe(5);
  });
});
