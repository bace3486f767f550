import { describe, expect, it } from "vitest";
import { isGradusError } from "./errors.js";
import {
  broadcastShapes,
  checkShape,
  contiguousStrides,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  sameShape,
  sizeOf,
} from "./shape.js";

describe("shapes", () => {
  it("have a size, strides and a form for messages", () => {
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([3, 0])).toBe(0);
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
    expect(formatShape([32, 10])).toBe("[32, 10]");
    expect(sameShape([1, 2], [1, 2])).toBe(true);
    expect(sameShape([1, 2], [2, 1])).toBe(false);
    expect(sameShape([1], [1, 1])).toBe(false);
  });

  it("are whole numbers, and not too many elements", () => {
    expect(() => checkShape("zeros", [2, 0])).not.toThrow();
    expect(() => checkShape("zeros", [2, -1])).toThrow(
      "zeros: sizes must be whole numbers of at least 0, got [2, -1]",
    );
    expect(() => checkShape("zeros", [1.5])).toThrow("got [1.5]");
    expect(() => checkShape("zeros", [65536, 32768])).toThrow("more than 2^31 - 1 elements");
    expect(() => checkShape("zeros", [2147483647])).not.toThrow();
  });
});

describe("axes", () => {
  it("count from the end if negative", () => {
    expect(normalizeAxis("sum", -1, 3)).toBe(2);
    expect(normalizeAxis("sum", 0, 3)).toBe(0);
    expect(normalizeAxes("sum", [2, -3], 3)).toEqual([0, 2]);
    expect(normalizeAxes("sum", 1, 3)).toEqual([1]);
    expect(normalizeAxes("sum", undefined, 3)).toEqual([0, 1, 2]);
    expect(normalizeAxes("sum", [], 3)).toEqual([]);
  });

  it("of a 0-dimensional tensor may be 0 or -1", () => {
    expect(normalizeAxes("sum", 0, 0)).toEqual([]);
    expect(normalizeAxes("sum", [-1], 0)).toEqual([]);
  });

  it("must exist, each once", () => {
    expect(() => normalizeAxis("sum", 3, 3)).toThrow(
      "sum: axis 3 of a 3-dimensional tensor: expected -3 to 2",
    );
    expect(() => normalizeAxis("sum", 1, 0)).toThrow("a 0-dimensional tensor has no axes");
    expect(() => normalizeAxis("sum", 0.5, 3)).toThrow("axis 0.5");
    try {
      normalizeAxes("sum", [0, -3], 3);
      expect.unreachable();
    } catch (error) {
      expect(isGradusError(error, "axis-out-of-range")).toBe(true);
      expect((error as Error).message).toBe("sum: axis 0 is named twice in [0, -3]");
    }
  });
});

describe("broadcastShapes", () => {
  it.each([
    [[2, 3], [3], [2, 3]],
    [
      [2, 1],
      [1, 3],
      [2, 3],
    ],
    [[], [4], [4]],
    [
      [5, 1, 3],
      [2, 1],
      [5, 2, 3],
    ],
    [[1], [0], [0]],
    [[2, 0], [1], [2, 0]],
  ])("%j and %j give %j", (a, b, expected) => {
    expect(broadcastShapes("add", a, b)).toEqual(expected);
    expect(broadcastShapes("add", b, a)).toEqual(expected);
  });

  it("names the sizes that do not fit", () => {
    expect(() => broadcastShapes("add", [2, 3], [4])).toThrow(
      "add: shapes [2, 3] and [4] do not broadcast: 3 against 4 at axis 1",
    );
    expect(() => broadcastShapes("add", [2], [0])).toThrow("2 against 0 at axis 0");
  });
});

it("reducedShape drops the axes, or keeps them with size 1", () => {
  expect(reducedShape([2, 3, 4], [0, 2], false)).toEqual([3]);
  expect(reducedShape([2, 3, 4], [0, 2], true)).toEqual([1, 3, 1]);
  expect(reducedShape([2], [], false)).toEqual([2]);
});
