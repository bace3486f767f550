import { describe, expect, it } from "vitest";
import { broadcastStrides, contiguousLayout, isContiguous, type Layout } from "./layout.js";

function layout(shape: number[], strides: number[], offset = 0): Layout {
  return { shape, strides, offset, dtype: "f32" };
}

/** Where a walk over all points, row-major, goes in memory. */
function _places(sizes: readonly number[], strides: readonly number[]): number[] {
  return sizes.reduce<number[]>(
    (at, n, axis) =>
      at.flatMap((base) => Array.from({ length: n }, (_, i) => base + i * (strides[axis] as number))),
    [0],
  );
}

describe("isContiguous", () => {
  it.each([
    [layout([2, 3], [3, 1]), true],
    [layout([2, 3], [1, 2]), false],
    [layout([2, 1, 3], [3, 99, 1]), true],
    [layout([1], [7]), true],
    [layout([], []), true],
    [layout([0, 3], [9, 9]), true],
    [layout([2, 3], [6, 2]), false],
    [layout([3], [-1]), false],
    [layout([2, 3], [3, 1], 12), true],
  ])("%j: %s", (l, expected) => {
    expect(isContiguous(l)).toBe(expected);
  });

  it("holds for what contiguousLayout makes", () => {
    const made = contiguousLayout({ shape: [4, 5, 6], dtype: "i32" });
    expect(made).toEqual({ shape: [4, 5, 6], dtype: "i32", strides: [30, 6, 1], offset: 0 });
    expect(isContiguous(made)).toBe(true);
  });
});

it("broadcastStrides repeats new axes and axes of size 1", () => {
  expect(broadcastStrides(layout([3, 1], [1, 1]), [2, 3, 4])).toEqual([0, 1, 0]);
  expect(broadcastStrides(layout([3], [2]), [3])).toEqual([2]);
  expect(broadcastStrides(layout([1], [5]), [1])).toEqual([5]);
});
