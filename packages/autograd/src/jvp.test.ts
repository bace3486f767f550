import type { Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { grad, hvp, jvp } from "./index.js";

const f64 = (values: number[]): Tensor => tensor(values, { dtype: "f64" });

describe("jvp", () => {
  it("has the closed form's values: the derivative along a direction", () => {
    const [y, dy] = jvp((x: Tensor) => x.sin(), f64([0, 1]), f64([2, 3]));
    expect(y.toArray()).toEqual([0, Math.sin(1)]);
    expect(dy.toArray()).toEqual([2, expect.closeTo(3 * Math.cos(1), 12)]);
  });

  it("takes and gives trees", () => {
    const f = (p: { a: Tensor; b: Tensor }) => ({ product: p.a.mul(p.b), sum: p.a.sum() });
    const [, d] = jvp(f, { a: f64([1, 2]), b: f64([3, 4]) }, { a: f64([1, 0]), b: f64([0, 1]) });
    expect([d.product.toArray(), d.sum.item()]).toEqual([[3, 2], 1]);
  });

  it("is the central difference of a network", () => {
    const [w, x, v] = [0, 1, 2].map((i) => key(i).normal([3, 3], { dtype: "f64" })) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const f = (w: Tensor): Tensor => x.matmul(w).tanh().softmax(1);
    const h = 1e-6;
    const difference = f(w.add(v.mul(h)))
      .sub(f(w.sub(v.mul(h))))
      .div(2 * h);
    expect(jvp(f, w, v)[1].sub(difference).abs().max().item()).toBeLessThan(1e-8);
  });

  it("may be compiled and differentiated", () => {
    const f = (x: Tensor): Tensor => x.pow(3);
    const along = (x: Tensor): Tensor => jvp(f, x, x.onesLike())[1].sum();
    expect(along(f64([2])).item()).toBe(12);
    expect(compile(along)(f64([2])).item()).toBe(12);
    expect(grad(along)(f64([2])).item()).toBe(12);
  });

  it("is zero for what does not move, and refuses tangents that do not fit", () => {
    expect(jvp((x: Tensor) => x.detach().square(), f64([3]), f64([1]))[1].toArray()).toEqual([0]);
    expect(() => jvp((p: Tensor[]) => p[0] as Tensor, [f64([1])], [])).toThrow(
      "jvp: tangents: the structure differs",
    );
    expect(() => jvp((x: Tensor) => x.square(), f64([1, 2]), f64([1]))).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
  });
});

describe("hvp", () => {
  it("is the Hessian's product: Rosenbrock's at a point", () => {
    const rosenbrock = (p: { x: Tensor; y: Tensor }): Tensor =>
      p.y.sub(p.x.square()).square().mul(100).add(p.x.neg().add(1).square());
    const [x, y] = [-1.2, 1];
    const h = hvp(
      rosenbrock,
      { x: f64([x]).sum(), y: f64([y]).sum() },
      { x: f64([1]).sum(), y: f64([2]).sum() },
    );
    expect(h.x.item()).toBeCloseTo(1200 * x * x - 400 * y + 2 + 2 * (-400 * x), 9);
    expect(h.y.item()).toBeCloseTo(-400 * x + 2 * 200, 9);
  });

  it("is zero for a linear function", () => {
    expect(hvp((x: Tensor) => x.mul(3).sum(), f64([1, 2]), f64([1, 1])).toArray()).toEqual([0, 0]);
  });
});
