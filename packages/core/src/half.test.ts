import { describe, expect, it } from "vitest";
import { halfBits, halfValue } from "./half.js";

describe("binary16", () => {
  it("means what IEEE 754 says", () => {
    expect(halfValue(0x3c00)).toBe(1);
    expect(halfValue(0xc000)).toBe(-2);
    expect(halfValue(0x7bff)).toBe(65504);
    expect(halfValue(0x0400)).toBe(2 ** -14);
    expect(halfValue(0x03ff)).toBe(1023 * 2 ** -24);
    expect(halfValue(0x0001)).toBe(2 ** -24);
    expect(halfValue(0x8000)).toBe(-0);
    expect(halfValue(0x7c00)).toBe(Infinity);
    expect(halfValue(0xfc00)).toBe(-Infinity);
    expect(halfValue(0x7e01)).toBeNaN();
  });

  it("gives every number its own bits", () => {
    let wrong = 0;
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfValue(bits);
      if (!Number.isNaN(value) && halfBits(value) !== bits) wrong++;
    }
    expect(wrong).toBe(0);
    expect(halfBits(Number.NaN)).toBe(0x7e00);
  });

  it("rounds to the nearest, ties to even, also where a float in between would round twice", () => {
    let wrong = 0;
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [below, above] = [halfValue(bits), halfValue(bits + 1)];
      const middle = (below + above) / 2;
      const step = 2 ** -40 * middle;
      if (halfBits(middle) !== bits + (bits % 2)) wrong++;
      if (halfBits(middle - step) !== bits || halfBits(middle + step) !== bits + 1) wrong++;
      if (halfBits(-middle - step) !== 0x8000 + bits + 1) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it.each([
    [65504, 0x7bff],
    [65519.999, 0x7bff],
    [65520, 0x7c00],
    [1e300, 0x7c00],
    [-65520, 0xfc00],
    [2 ** -25, 0],
    [-(2 ** -25), 0x8000],
    [2 ** -25 * 1.0001, 1],
    [3 * 2 ** -25, 2],
    [5e-324, 0],
    [1023.5 * 2 ** -24, 0x0400],
  ])("%f is %i", (value, bits) => {
    expect(halfBits(value)).toBe(bits);
  });
});
