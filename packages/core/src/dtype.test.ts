import { describe, expect, it } from "vitest";
import {
  bytesOf,
  castNumber,
  type DType,
  dtypes,
  elementBytes,
  promote,
  promoteNumber,
  typedArray,
} from "./dtype.js";
import { isGradusError } from "./errors.js";

describe("dtypes", () => {
  it("have sizes and arrays", () => {
    expect(dtypes.map(bytesOf)).toEqual([4, 4, 2, 4, 8]);
    for (const dtype of dtypes)
      expect(elementBytes(dtype, typedArray(dtype, 3)).byteLength).toBe(3 * bytesOf(dtype));
    expect(typedArray("i32", [1.9, -1])).toEqual(new Int32Array([1, -1]));
    const bytes = new Float64Array([1, 2]).buffer;
    expect(typedArray("f64", bytes)).toEqual(new Float64Array([1, 2]));
    expect(typedArray("f64", bytes).buffer).toBe(bytes);
  });

  it("hold the values of f16 as floats, and its bits as a device does", () => {
    const values = typedArray("f16", [1, 2049, 1e6, 2 ** -24, 0.1]);
    expect(values).toEqual(new Float32Array([1, 2048, Infinity, 2 ** -24, 0.0999755859375]));
    const bits = elementBytes("f16", values);
    expect(bits).toEqual(new Uint16Array([0x3c00, 0x6800, 0x7c00, 1, 0x2e66]));
    expect(typedArray("f16", bits.buffer as ArrayBuffer)).toEqual(values);
  });

  it("promote to the later of bool, i32, f16, f32, f64", () => {
    const order: DType[] = ["bool", "i32", "f16", "f32", "f64"];
    order.forEach((a, i) => {
      order.forEach((b, j) => {
        expect(promote(a, b)).toBe(order[Math.max(i, j)]);
      });
    });
  });

  it("a number does not widen a tensor, unless a whole dtype cannot hold it", () => {
    expect(promoteNumber("f32", 0.1)).toBe("f32");
    expect(promoteNumber("f64", 1)).toBe("f64");
    expect(promoteNumber("f16", 0.1)).toBe("f16");
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
    [65519.99, "f16", 65504],
    [65520, "f16", Infinity],
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
      castNumber(1, "bf16" as DType);
      expect.unreachable();
    } catch (error) {
      expect(isGradusError(error, "dtype-mismatch")).toBe(true);
    }
  });
});
