import { scope, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { movingAverage } from "./moving-average.js";

describe("what is carried from step to step", () => {
  const least = 2 ** -126;

  it("never ends among subnormal numbers", () => {
    const zero = tensor([0, 0, 0]);
    let average = tensor([1, -1e-3, 1e-30]);
    for (let i = 0; i < 1200; i++) average = scope(() => movingAverage(average, zero, 0.9));
    for (const x of average.toArray() as number[]) {
      expect(x === 0 || Math.abs(x) >= least).toBe(true);
      expect(Math.abs(x)).toBeLessThan(1e-30);
    }
  });

  it("is the plain average of numbers of any use", () => {
    const [old, value] = [tensor([1, -1e-3, 1e-12]), tensor([3, 1e-3, -2e-12])];
    expect(movingAverage(old, value, 0.9).toArray()).toEqual(
      old
        .mul(0.9)
        .add(value.mul(1 - 0.9))
        .toArray(),
    );
  });
});
