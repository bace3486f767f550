import { describe, expect, it } from "vitest";
import { digamma, lgamma, polygamma } from "./gamma-functions.js";

const EULER = 0.5772156649015329;
const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);

// Closed forms (Abramowitz and Stegun, chapter 6) and recurrences.
describe("lgamma", () => {
  it("is the logarithm of the factorial", () => {
    let factorial = 1;
    for (let n = 2; n <= 20; n++) {
      factorial *= n;
      expect(relative(lgamma(n + 1), Math.log(factorial))).toBeLessThan(4e-15);
    }
  });

  it("keeps its relative precision at its zeros", () => {
    expect([lgamma(1), lgamma(2)]).toEqual([0, 0]);
    const h = 2 ** -30;
    expect(relative(lgamma(1 + h), -EULER * h + (Math.PI ** 2 / 12) * h * h)).toBeLessThan(1e-14);
    expect(relative(lgamma(2 + h), (1 - EULER) * h)).toBeLessThan(1e-9);
  });

  it("follows the recurrence, the reflection, and is smooth where the methods change", () => {
    for (const x of [1e-300, 0.1, 0.499999, 0.5, 1.499999, 1.5, 2.5, 2.500001, 8.9, 9.1, 50, 1e10]) {
      const [left, right] = [lgamma(x + 1), lgamma(x) + Math.log(x)];
      expect(Math.abs(left - right)).toBeLessThan(8e-15 * Math.max(1, Math.abs(left), Math.abs(lgamma(x))));
    }
    expect(lgamma(-0.5)).toBeCloseTo(Math.log(2 * Math.sqrt(Math.PI)), 14);
    expect(lgamma(-1.5)).toBeCloseTo(Math.log((4 / 3) * Math.sqrt(Math.PI)), 14);
  });

  it("has poles at 0 and below, and keeps NaN", () => {
    expect([0, -1, -2, Infinity, -Infinity].map(lgamma)).toEqual(new Array(5).fill(Infinity));
    expect(lgamma(Number.NaN)).toBeNaN();
  });
});

describe("digamma and polygamma", () => {
  it("have their closed forms", () => {
    expect(relative(digamma(1), -EULER)).toBeLessThan(4e-15);
    expect(relative(digamma(0.5), -EULER - 2 * Math.LN2)).toBeLessThan(4e-15);
    expect(relative(digamma(0.25), -EULER - Math.PI / 2 - 3 * Math.LN2)).toBeLessThan(4e-15);
    expect(relative(polygamma(1, 1), Math.PI ** 2 / 6)).toBeLessThan(4e-15);
    expect(relative(polygamma(0.5, 1), Math.PI ** 2 / 2)).toBeLessThan(4e-15);
    expect(relative(polygamma(0.5, 3), Math.PI ** 4)).toBeLessThan(1e-14);
    // -2 zeta(3)
    expect(relative(polygamma(1, 2), -2.4041138063191885)).toBeLessThan(4e-15);
  });

  it("follow the recurrence on both sides of 0", () => {
    let factorial = 1;
    for (let n = 0; n <= 6; n++) {
      if (n > 0) factorial *= n;
      for (const x of [-3.3, -0.4, 0.2, 1.6, 12, 300]) {
        const step = ((n % 2 === 0 ? 1 : -1) * factorial) / x ** (n + 1);
        const [left, right] = [polygamma(x + 1, n), polygamma(x, n) + step];
        const scale = Math.max(Math.abs(left), Math.abs(step), Math.abs(polygamma(x, n)));
        expect(Math.abs(left - right) / scale, `${n} at ${x}`).toBeLessThan(1e-12);
      }
    }
  });

  it("go to their limits", () => {
    expect([digamma(0), digamma(-0), digamma(-2), digamma(Infinity)]).toEqual([
      -Infinity,
      Infinity,
      Number.NaN,
      Infinity,
    ]);
    expect([polygamma(0, 1), polygamma(-3, 1), polygamma(0, 2), polygamma(Infinity, 2)]).toEqual([
      Infinity,
      Infinity,
      Number.NaN,
      0,
    ]);
    expect([polygamma(1, -1), polygamma(1, Number.NaN), polygamma(Number.NaN, 1)]).toEqual(
      new Array(3).fill(Number.NaN),
    );
  });
});
