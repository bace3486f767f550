import { describe, expect, it } from "vitest";
import { bytesOf, castNumber, type DType, dtypes, promote, promoteNumber, typedArray } from "./dtype.js";
import { isGradusError } from "./errors.js";

describe("dtypes", () => {
  it("have sizes and arrays", () => {
    expect(dtypes.map(bytesOf)).toEqual([4, 4, 4, 8]);
    for (const dtype of dtypes) expect(typedArray(dtype, 3).byteLength).toBe(3 * bytesOf(dtype));
    expect(typedArray("i32", [1.9, -1])).toEqual(new Int32Array([1, -1]));
    const bytes = new Float64Array([1, 2]).buffer;
    expect(typedArray("f64", bytes)).toEqual(new Float64Array([1, 2]));
    expect(typedArray("f64", bytes).buffer).toBe(bytes);
  });

  it("promote to the later of bool, i32, f32, f64", () => {
    const order: DType[] = ["bool", "i32", "f32", "f64"];
    order.forEach((a, i) => {
      order.forEach((b, j) => {
        expect(promote(a, b)).toBe(order[Math.max(i, j)]);
      });
    });
  });

  it("a number does not widen a tensor, unless a whole dtype cannot hold it", () => {
    expect(promoteNumber("f32", 0.1)).toBe("f32");
    expect(promoteNumber("f64", 1)).toBe("f64");
    expect(promoteNumber("i32", 2)).toBe("i32");
    expect(promoteNumber("i32", 0.5)).toBe("f32");
    expect(promoteNumber("bool", 2)).toBe("i32");
    expect(promoteNumber("bool", 0.5)).toBe("f32");
    expect(promoteNumber("i32", Number.NaN)).toBe("f32");
  });
});

describe("castNumber", () => {
  it.each([
    [0.1, "f32", Math.fround(0.1)],
    [0.1, "f64", 0.1],
    [1e300, "f32", Infinity],
    [1.9, "i32", 1],
    [-1.9, "i32", -1],
    [3e9, "i32", 2147483647],
    [-Infinity, "i32", -2147483648],
    [Number.NaN, "i32", 0],
    [0.5, "bool", 1],
    [-0, "bool", 0],
    [Number.NaN, "bool", 1],
  ] as const)("%f as %s is %f", (value, dtype, expected) => {
    expect(castNumber(value, dtype)).toBe(expected);
  });

  it("rejects a dtype that does not exist", () => {
    try {
      castNumber(1, "f16" as DType);
      expect.unreachable();
    } catch (error) {
      expect(isGradusError(error, "dtype-mismatch")).toBe(true);
    }
  });
});
