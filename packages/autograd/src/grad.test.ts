import type { Tensor } from "@gradus/core";
import { compile, key, tensor, zeros } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { grad, valueAndGrad } from "./index.js";

describe("grad", () => {
  it("has the closed form's values", () => {
    expect(grad((x: Tensor) => x.square().sum())(tensor([1, 2, 3])).toArray()).toEqual([2, 4, 6]);
    const logistic = grad((w: Tensor) => tensor([1, 2]).matmul(w).neg().softplus());
    const s = 1 / (1 + Math.exp(-(1 * 0.3 + 2 * -0.1)));
    expect(logistic(tensor([0.3, -0.1], { dtype: "f64" })).toArray()).toEqual([
      expect.closeTo(s - 1, 7),
      expect.closeTo(2 * (s - 1), 7),
    ]);
  });

  it("keeps the type and structure of a tree", () => {
    type Params = { w: Tensor; layers: [Tensor, { b: Tensor }]; name: string };
    const params: Params = { w: tensor([2]), layers: [tensor([3]), { b: tensor([4]) }], name: "model" };
    const g = grad((p: Params) => p.w.mul(p.layers[0]).add(p.layers[1].b.square()).sum())(params);
    expectTypeOf(g).toEqualTypeOf<Params>();
    expect([g.w.item(), g.layers[0].item(), g.layers[1].b.item(), g.name]).toEqual([3, 2, 8, "model"]);
  });

  it("has any order: the derivatives of x^4, and a mixed one", () => {
    let f = (x: Tensor): Tensor => x.square().square().sum();
    const expected = [32, 48, 48, 24, 0];
    for (const value of expected) {
      const g = grad(f);
      expect(g(tensor(2, { dtype: "f64" })).item()).toBe(value);
      f = (x) => g(x).sum();
    }
    const mixed = grad((x: Tensor) => grad((y: Tensor) => x.mul(y.pow(3)).sum())(tensor([2])).sum());
    expect(mixed(tensor([5])).item()).toBe(12);
  });

  it("is the same compiled, nested and around a compiled function", () => {
    const f = (w: Tensor, x: Tensor): Tensor => x.matmul(w).tanh().square().sum();
    const [w, x] = [key(0).normal([3, 2]), key(1).normal([4, 3])];
    const eager = grad(f)(w, x).toArray();
    expect(compile(grad(f))(w, x).toArray()).toEqual(eager);
    expect(grad(compile(f))(w, x).toArray()).toEqual(eager);
    const hessianTimes = (v: Tensor) => (p: Tensor) => grad((q: Tensor) => grad(f)(q, x).mul(v).sum())(p);
    const v = key(2).normal([3, 2]);
    expect(compile((p: Tensor) => hessianTimes(v)(p))(w).toArray()).toEqual(hessianTimes(v)(w).toArray());
  });

  it("goes through what a compiled function reads from outside", () => {
    const x = tensor([1, 2, 3]);
    const g = grad((w: Tensor) => {
      const f = compile((x: Tensor) => x.mul(w).sum());
      return f(x).add(f(x));
    });
    expect(g(tensor([4, 5, 6])).toArray()).toEqual([2, 4, 6]);
  });

  it("lets the function look at values and branch on them", () => {
    const f = (x: Tensor): Tensor => (x.sum().item() > 0 ? x.mul(2).sum() : x.mul(3).sum());
    expect(grad(f)(tensor([1, 1])).toArray()).toEqual([2, 2]);
    expect(grad(f)(tensor([-1, -1])).toArray()).toEqual([3, 3]);
  });

  it("passes auxiliary results along", () => {
    const f = (x: Tensor): [Tensor, { doubled: Tensor; note: string }] => [
      x.sum(),
      { doubled: x.mul(2), note: "n" },
    ];
    const [loss, g, aux] = valueAndGrad(f)(tensor([1, 2]));
    expect([loss.item(), g.toArray(), aux.doubled.toArray(), aux.note]).toEqual([3, [1, 1], [2, 4], "n"]);
    expect(grad(f)(tensor([1]))[1].note).toBe("n");
  });

  it("does not differentiate later arguments, nor through detach", () => {
    const g = grad((x: Tensor, y: Tensor) => x.mul(y).add(x.detach().mul(x)).sum());
    expect(g(tensor([2]), tensor([5])).toArray()).toEqual([7]);
  });

  it("gives zeros where the result does not depend on a leaf", () => {
    const g = grad((p: { a: Tensor; b: Tensor }) => p.a.sum())({ a: tensor([1, 2]), b: tensor([3]) });
    expect(g.b.toArray()).toEqual([0]);
  });

  it("says what it cannot differentiate", () => {
    expect(() => grad((x: Tensor) => x.mul(2))(tensor([1, 2]))).toThrow(
      "grad: the function must return one number, got shape [2]. Reduce it with sum() or mean(), or use vjp()",
    );
    expect(() => grad((_: Tensor) => tensor(1))(tensor([1]))).toThrow(
      expect.objectContaining({ code: "no-gradient" }),
    );
    expect(() => grad((x: Tensor) => tensor(x.sum().item()))(tensor([1]))).not.toThrow();
    expect(() => grad((x: Tensor) => x.sum())(tensor([1], { dtype: "i32" }))).toThrow("grad: (root) is i32");
    expect(() => grad((x: Tensor) => x.argmax())(tensor([1]))).toThrow(
      expect.objectContaining({ code: "not-differentiable" }),
    );
    expect(() => grad((p: object) => tensor(1).mul(Object.keys(p).length))({})).toThrow("there is no tensor");
    // @ts-expect-error: an async function is not differentiable
    expect(() => grad(async (x: Tensor) => x.sum())(tensor([1]))).toThrow(
      expect.objectContaining({ code: "async-scope" }),
    );
  });

  it("walks a chain of thousands of operations", () => {
    const f = (x: Tensor): Tensor => {
      let y = x;
      for (let i = 0; i < 20000; i++) y = y.add(1);
      return y.sum();
    };
    expect(grad(f)(zeros([1])).item()).toBe(1);
  });
});
