import { describe, expect, it } from "vitest";
import { arange, tensor } from "../create.js";

const { NaN: nan } = Number;
const square = arange(16).cast("f32").reshape([1, 1, 4, 4]);

describe("maxPool", () => {
  it("gives each window's greatest and its position in the plane", () => {
    const { values, indices } = square.maxPool(2);
    expect(values.toArray()).toEqual([
      [
        [
          [5, 7],
          [13, 15],
        ],
      ],
    ]);
    expect(indices.toArray()).toEqual(values.toArray());
    expect(indices.dtype).toBe("i32");
  });

  it("of equal ones the first; a NaN wins", () => {
    expect(tensor([1, 3, 3, 1, nan, 9]).maxPool([3]).indices.toArray()).toEqual([1, 4]);
    expect(tensor([1, 3, 3, 1, nan, 9]).maxPool([3]).values.toArray()).toEqual([3, nan]);
  });

  it("never chooses the padding", () => {
    const low = tensor([-Infinity, -Infinity, -5]);
    const { values, indices } = low.maxPool([3], { stride: 2, padding: 1 });
    expect(values.toArray()).toEqual([-Infinity, -5]);
    expect(indices.toArray()).toEqual([0, 2]);
    expect(tensor([-3, -2, -1]).maxPool([2], { padding: 1 }).values.toArray()).toEqual([-3, -1]);
  });

  it("takes strides, dilation, several axes with any before them, and integers", () => {
    const x = tensor([5, 1, 4, 2, 3, 0, 6]);
    expect(x.maxPool([2], { stride: 1, dilation: 3 }).values.toArray()).toEqual([5, 3, 4, 6]);
    expect(
      square
        .maxPool([2, 4], { stride: [1, 4] })
        .values.flatten()
        .toArray(),
    ).toEqual([7, 11, 15]);
    expect(arange(6).maxPool([2]).values.toArray()).toEqual([1, 3, 5]);
    expect(tensor([], { shape: [0, 2, 4] }).maxPool(2).values.shape).toEqual([0, 2, 2]);
  });

  it("with ceilMode keeps the rest, if it starts within the input", () => {
    expect(arange(5).maxPool([2], { ceilMode: true }).values.toArray()).toEqual([1, 3, 4]);
    expect(arange(4).maxPool([2], { padding: 1, stride: 2, ceilMode: true }).values.shape).toEqual([3]);
    expect(arange(3).maxPool([1], { stride: 3, ceilMode: true }).values.shape).toEqual([1]);
  });

  it("refuses windows without elements", () => {
    expect(() => square.maxPool(3, { padding: 2 })).toThrow(
      "maxPool: padding 2 must be at most half of the window 3",
    );
    expect(() => square.maxPool(5)).toThrow("maxPool: a window of 5 is larger than the axis of 4");
    expect(() => tensor([1, 2]).maxPool(2)).toThrow("Or name the window's sizes: [2, 2]");
    expect(() => square.maxPool(0)).toThrow("maxPool: the window must be a whole number of at least 1");
  });
});

describe("avgPool", () => {
  it("averages windows", () => {
    expect(square.avgPool(2).flatten().toArray()).toEqual([2.5, 4.5, 10.5, 12.5]);
    expect(tensor([1, 2, 6]).avgPool([2], { stride: 1 }).toArray()).toEqual([1.5, 4]);
  });

  it("counts the padding unless told not to, and never what lies behind it", () => {
    const x = tensor([2, 4, 6]);
    expect(x.avgPool([2], { padding: 1 }).toArray()).toEqual([1, 5]);
    expect(x.avgPool([2], { padding: 1, countIncludePad: false }).toArray()).toEqual([2, 5]);
    expect(x.avgPool([2], { ceilMode: true }).toArray()).toEqual([3, 6]);
  });

  it("takes floats", () => {
    expect(() => arange(4).avgPool([2])).toThrow("avgPool: expected floats, got i32");
  });
});
