import { describe, expect, it } from "vitest";
import {
  erf,
  erfc,
  erfinv,
  floorRemainder,
  logAddExp,
  roundHalfEven,
  sigmoid,
  softplus,
} from "./special-functions.js";

const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);

// Values to 16 digits: Abramowitz and Stegun, table 7.1, and mpmath.
describe("erf and erfc", () => {
  it.each([
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [6, 1],
  ])("erf(%f) is known, and odd", (x, expected) => {
    expect(relative(erf(x), expected)).toBeLessThan(1e-15 * 4);
    expect(erf(-x)).toBe(-erf(x));
  });

  it.each([
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [2, 0.004677734981047266],
    [3, 2.209049699858544e-5],
    [5, 1.5374597944280349e-12],
    [10, 2.088487583762545e-45],
  ])("erfc(%f) keeps its relative precision", (x, expected) => {
    expect(relative(erfc(x), expected)).toBeLessThan(2e-14);
    expect(relative(erfc(-x), 2 - expected)).toBeLessThan(1e-15);
  });

  it("goes to its limits, keeps zero and NaN", () => {
    expect([erf(Infinity), erf(-Infinity), erfc(Infinity), erfc(-Infinity)]).toEqual([1, -1, 0, 2]);
    expect([erf(0), erfc(0)]).toEqual([0, 1]);
    expect([erf(Number.NaN), erfc(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
  });

  it("is continuous where the methods change, at 2", () => {
    expect(relative(erf(2 - 1e-12), erf(2))).toBeLessThan(1e-13);
    expect(relative(erfc(2 - 1e-12), erfc(2))).toBeLessThan(1e-10);
  });
});

describe("erfinv", () => {
  it("is the inverse of erf, odd, to the last digits", () => {
    for (const y of [1e-300, 1e-8, 0.1, 0.45, 0.5, 1, 2, 3]) {
      const x = erf(y);
      // What is rounded away in x cannot come back.
      const lost = (2 ** -53 * Math.sqrt(Math.PI) * Math.exp(y * y)) / 2;
      expect(Math.abs(erfinv(x) - y)).toBeLessThan(lost + 4e-15 * y);
      expect(erfinv(-x)).toBe(-erfinv(x));
    }
  });

  it("goes to its limits", () => {
    expect([erfinv(1), erfinv(-1), erfinv(0), erfinv(-0)]).toEqual([Infinity, -Infinity, 0, -0]);
    expect([erfinv(1.5), erfinv(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
    expect(Number.isFinite(erfinv(1 - 2 ** -53))).toBe(true);
  });
});

describe("functions that must not overflow", () => {
  it("sigmoid is accurate at both ends", () => {
    expect(sigmoid(0)).toBe(0.5);
    expect(relative(sigmoid(-40), Math.exp(-40))).toBeLessThan(1e-15);
    expect([sigmoid(1000), sigmoid(-1000)]).toEqual([1, 0]);
  });

  it("softplus is x for large x and exp(x) for small x", () => {
    expect(softplus(0)).toBe(Math.LN2);
    expect(softplus(1000)).toBe(1000);
    expect(relative(softplus(-40), Math.exp(-40))).toBeLessThan(1e-15);
  });

  it("logAddExp adds in the log domain", () => {
    expect(logAddExp(Math.log(2), Math.log(3))).toBeCloseTo(Math.log(5), 15);
    expect(logAddExp(1000, 1000)).toBe(1000 + Math.LN2);
    expect(logAddExp(-Infinity, 3)).toBe(3);
    expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logAddExp(Infinity, 0)).toBe(Infinity);
  });
});

describe("rounding and remainders", () => {
  it("rounds halves to even", () => {
    expect([0.5, 1.5, 2.5, -1.5, -2.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, -2, -2, 2, 3]);
    expect([Infinity, -Infinity].map(roundHalfEven)).toEqual([Infinity, -Infinity]);
  });

  it("the remainder has the divisor's sign", () => {
    expect(floorRemainder(7, 3)).toBe(1);
    expect(floorRemainder(-7, 3)).toBe(2);
    expect(floorRemainder(7, -3)).toBe(-2);
    expect(floorRemainder(5.5, 2)).toBe(1.5);
    expect(floorRemainder(1, 0)).toBeNaN();
  });
});

describe("roundHalfEven", () => {
  it("keeps the sign of zero", () => {
    expect([-0.5, -0.2, 0.5, -0, 1.5, 2.5, -1.5].map(roundHalfEven)).toEqual([-0, -0, 0, -0, 2, 2, -2]);
  });
});
