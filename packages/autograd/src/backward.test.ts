import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { backward, grad, variable } from "./index.js";

describe("backward", () => {
  it("differentiates a value that was computed before, as often as asked", () => {
    const [w, b] = [variable(tensor([1, 2])), variable(tensor(0.5))];
    const loss = w.mul(3).sum().mul(b);
    expect(loss.item()).toBe(4.5);
    for (let i = 0; i < 2; i++) {
      const { grads } = backward(loss, { w, b });
      expect(grads.w.toArray()).toEqual([1.5, 1.5]);
      expect(grads.b.item()).toBe(9);
      expect(grads.w.history).toBeUndefined();
    }
  });

  it("can record the backward pass for second derivatives", () => {
    const x = variable(tensor(3));
    const { grads } = backward(x.pow(3), { x }, { createGraph: true });
    expect(backward(grads.x, { x }).grads.x.item()).toBe(18);
  });

  it("goes through a compiled function that reads a variable from outside", () => {
    const w = variable(tensor([1, 2]));
    const f = compile((x: typeof w) => x.mul(w).sum());
    for (let i = 0; i < 2; i++) expect(backward(f(tensor([3, 4])), { w }).grads.w.toArray()).toEqual([3, 4]);
  });

  it("agrees with grad", () => {
    const [w0, x] = [key(0).normal([3]), key(1).normal([2, 3])];
    const f = (w: typeof w0): typeof w0 => x.matmul(w).sigmoid().sum();
    const w = variable(w0);
    expect(backward(f(w), { w }).grads.w.toArray()).toEqual(grad(f)(w0).toArray());
  });

  it("works with transforms inside of the loss", () => {
    const a = variable(tensor(2));
    const inner = grad((x: typeof a) => x.square().mul(a).sum())(tensor([3]));
    expect(backward(inner.sum(), { a }).grads.a.item()).toBe(6);
  });

  it("says what is missing", () => {
    const [w, other] = [variable(tensor([1, 2])), variable(tensor(1))];
    expect(() => backward(w, { w })).toThrow("backward: the loss must be one number, got shape [2]");
    expect(() => backward(w.sum(), { w: tensor([1, 2]) })).toThrow("backward: w is no variable");
    expect(() => backward(w.sum(), { other })).toThrow(expect.objectContaining({ code: "no-gradient" }));
    expect(() => backward(w.detach().sum(), { w })).toThrow(expect.objectContaining({ code: "no-gradient" }));
    expect(() => variable(tensor([1], { dtype: "i32" }))).toThrow(
      expect.objectContaining({ code: "not-differentiable" }),
    );
    expect(backward(w.sum(), { w, other }).grads.other.item()).toBe(0);
  });
});
