import { describe, expect, it } from "vitest";
import { isGradusError } from "./errors.js";
import { combineScalars, isScalar, Scalar, scalar, scalarInput } from "./scalar.js";

describe("a Scalar", () => {
  it("has a value and maps", () => {
    const step = scalar(2);
    expect(step.value).toBe(2);
    expect(step.map((t) => 0.1 / (1 + t)).value).toBeCloseTo(1 / 30, 15);
    expect(combineScalars([step, scalar(5)], (a, b) => a * b).value).toBe(10);
    expect(String(step)).toBe("Scalar(2)");
  });

  it("is a number and nothing else", () => {
    expect(() => scalar("2" as unknown as number)).toThrow("scalar: expected a number, got string");
  });

  it("is recognised across copies of the package", () => {
    expect(isScalar(scalar(1))).toBe(true);
    expect(isScalar({ [Symbol.for("gradus.scalar")]: true })).toBe(true);
    expect([1, null, undefined, {}].some(isScalar)).toBe(false);
  });
});

describe("a traced Scalar", () => {
  const x = scalarInput(0);
  const y = scalarInput(1);

  it("has no value yet", () => {
    expect(x.isSymbolic).toBe(true);
    expect(String(x)).toBe("Scalar(traced)");
    try {
      x.value;
      expect.unreachable();
    } catch (error) {
      expect(isGradusError(error, "value-in-trace")).toBe(true);
    }
  });

  it("is computed from the inputs of each call", () => {
    const rate = combineScalars([x.map((t) => t + 1), y, scalar(10)], (a, b, c) => (a * c) / b);
    expect(rate.isSymbolic).toBe(true);
    expect(rate.resolve([3, 2])).toBe(20);
    expect(rate.resolve([0, 4])).toBe(2.5);
    expect(scalar(7).resolve([])).toBe(7);
  });

  it("is computed once a call, however often it is used", () => {
    let calls = 0;
    const shared = x.map((t) => {
      calls++;
      return t;
    });
    const memo = new Map<Scalar, number>();
    expect(combineScalars([shared, shared.map((t) => 2 * t)], (a, b) => a + b).resolve([1], memo)).toBe(3);
    expect(shared.resolve([1], memo)).toBe(1);
    expect(calls).toBe(1);
    expect(shared).toBeInstanceOf(Scalar);
  });
});
