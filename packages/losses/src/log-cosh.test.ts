import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { logCosh } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

describe("logCosh", () => {
  it("is log(cosh(d)), |d| - log 2 of large d and d^2 / 2 of small d", () => {
    const x = [0.3, -0.999, 1, 1.001, -5];
    const got = logCosh(f64(x), f64(x.map(() => 0)), none).data();
    x.forEach((d, i) => {
      expect(got[i]).toBeCloseTo(Math.log(Math.cosh(d)), 14);
    });
    expect(logCosh(f64([-1e4]), f64([0])).item()).toBe(1e4 - Math.LN2);
    const small = logCosh(tensor([1e-4]), tensor([0])).item();
    expect(Math.abs(small / 5e-9 - 1)).toBeLessThan(1e-6);
  });

  it("has the gradient tanh(d), and the second derivative 1 at 0", () => {
    const slope = grad((x: Tensor) => logCosh(x, f64([0])));
    for (const d of [0, 0.5, -2]) expect(slope(f64([d])).item()).toBeCloseTo(Math.tanh(d), 14);
    expect(grad((x: Tensor) => slope(x).sum())(f64([0])).item()).toBeCloseTo(1, 14);
  });
});
