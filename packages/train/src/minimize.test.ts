import { objective } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { minimize } from "./index.js";

const bowl = (x: Tensor) =>
  x
    .sub(3)
    .square()
    .mul(tensor([1, 100]))
    .sum();

it.each(["f32", "f64"] as const)("minimizes a function, and looks what it found, in %s", async (dtype) => {
  for (const method of ["bfgs", "l-bfgs", "cg", "newton", "newton-cg", "trust-region", undefined] as const) {
    const r = await minimize(bowl, tensor([0, 10], { dtype }), method && { method });
    expect([r.reason, r.critical, r.success]).toEqual(["converged", "minimum", true]);
    expect(r.curvature?.least).toBeCloseTo(2, 3);
    expect(r.curvature?.greatest).toBeCloseTo(200, 2);
    expect(r.params.dtype).toBe(dtype);
    expect(r.params.sub(3).abs().max().item()).toBeLessThan(1e-4);
    expect(r.gradientNorm).toBeLessThan(1e-3);
  }
});

it("takes an objective as well", async () => {
  const r = await minimize(objective(bowl), tensor([0, 10]));
  expect(r.value).toBeLessThan(1e-8);
});
