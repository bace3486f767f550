import { interpreter, type Tensor } from "@gradus/core";
import { compile, scope, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { customGrad, grad, gradcheck, vjp } from "./index.js";

const roundSTE = customGrad((x: Tensor) => x.round(), { backward: (dy) => dy });
const log1pexp = customGrad((x: Tensor) => x.exp().log1p(), {
  backward: (dy, { inputs: [x] }) => dy.mul((x as Tensor).sigmoid()),
});

describe("customGrad", () => {
  it("uses the gradient it is given, eagerly and compiled", () => {
    const f = (x: Tensor): Tensor => roundSTE(x).mul(x).sum();
    expect(grad(f)(tensor([0.6, 2])).toArray()).toEqual([expect.closeTo(1.6, 6), 4]);
    expect(compile(grad(f))(tensor([0.6, 2])).toArray()).toEqual(grad(f)(tensor([0.6, 2])).toArray());
  });

  it("is differentiated again through its own backward", () => {
    const second = grad((x: Tensor) => grad((y: Tensor) => log1pexp(y).sum())(x).sum());
    const s = 1 / (1 + Math.exp(-0.5));
    expect(second(tensor([0.5], { dtype: "f64" })).item()).toBeCloseTo(s * (1 - s), 12);
    gradcheck((x: Tensor) => log1pexp(x), tensor([-2, 0.5, 3], { dtype: "f64" }));
  });

  it("keeps residuals of its own forward pass", () => {
    let forwards = 0;
    const cube = customGrad((x: Tensor) => x.pow(3), {
      forward: (x) => {
        forwards++;
        return [x.pow(3), x.square()] as const;
      },
      backward: (dy, { residuals }) => dy.mul(residuals).mul(3),
    });
    expect(grad((x: Tensor) => cube(x).sum())(tensor([2])).item()).toBe(12);
    expect(forwards).toBe(1);
  });

  it("keeps residuals through scopes, compile and higher derivatives", () => {
    const cube = customGrad((x: Tensor) => x.pow(3), {
      forward: (x) => [x.pow(3), { square: x.square() }] as const,
      backward: (dy, { residuals }) => dy.mul(residuals.square).mul(3),
    });
    const f = (x: Tensor): Tensor => scope(() => cube(x)).sum();
    const second = grad((x: Tensor) => grad(f)(x).sum());
    const third = grad((x: Tensor) => second(x).sum());
    const x = tensor([2]);
    for (const run of [grad(f), compile(grad(f))]) expect(run(x).item()).toBe(12);
    for (const run of [second, compile(second)]) expect(run(x).item()).toBe(12);
    for (const run of [third, compile(third)]) expect(run(x).item()).toBe(6);
    const device = interpreter({ collected: false });
    const y = tensor([2], { device });
    expect(grad(f)(y).item()).toBe(12);
    expect(device.memory().buffers).toBe(2);
  });

  it("takes several inputs, some without a gradient", () => {
    const scaled = customGrad((x: Tensor, k: Tensor) => x.mul(k), {
      backward: (dy, { inputs: [, k] }) => [dy.mul(k as Tensor), undefined],
    });
    const g = grad((p: { x: Tensor; k: Tensor }) => scaled(p.x, p.k).sum())({
      x: tensor([1]),
      k: tensor([5]),
    });
    expect([g.x.item(), g.k.item()]).toEqual([5, 0]);
  });

  it("names a cotangent that is missing or has the wrong shape", () => {
    const wrong = customGrad((x: Tensor) => x.mul(2), { backward: (dy) => dy.sum() });
    expect(() => grad((x: Tensor) => wrong(x).sum())(tensor([1, 2]))).toThrow(
      "customGrad: its gradient returned f32[] for an input of f32[2]: a cotangent has its input's shape and dtype",
    );
    const nothing = customGrad((x: Tensor) => x.mul(2), {
      // @ts-expect-error a forgotten return is refused by its type
      backward: (dy) => {
        dy.mul(2);
      },
    });
    expect(() => grad((x: Tensor) => nothing(x).sum())(tensor([1]))).toThrow(
      "customGrad: backward returned undefined: is a `return` missing?",
    );
    const number = customGrad((x: Tensor) => x.mul(2), {
      // @ts-expect-error so is a number
      backward: () => 2,
    });
    expect(() => grad((x: Tensor) => number(x).sum())(tensor([1]))).toThrow(
      "customGrad: backward returned number 2 as the cotangent of input 0",
    );
    const missing = customGrad((x: Tensor, y: Tensor) => x.mul(y), { backward: (dy) => dy });
    expect(() => grad((x: Tensor) => missing(x, x).sum())(tensor([1]))).toThrow(
      "customGrad: backward returned 1 cotangents for 2 inputs",
    );
  });
});

describe("vjp", () => {
  it("pulls cotangents of a tree back, more than once", () => {
    const [y, pull] = vjp((x: Tensor) => ({ square: x.square(), sum: x.sum() }), tensor([1, 2]));
    expect(y.square.toArray()).toEqual([1, 4]);
    expect(pull({ square: tensor([1, 0]), sum: tensor(0) }).toArray()).toEqual([2, 0]);
    expect(pull({ square: tensor([0, 0]), sum: tensor(7) }).toArray()).toEqual([7, 7]);
  });

  it("rejects cotangents that do not fit", () => {
    const [, pull] = vjp((x: Tensor) => x.square(), tensor([1, 2]));
    expect(() => pull(tensor([1]))).toThrow("vjp: the cotangent of (root) has shape [1], the result [2]");
  });
});

describe("gradcheck", () => {
  it("finds a wrong gradient and says where", () => {
    const wrong = customGrad((x: Tensor) => x.square(), {
      backward: (dy, { inputs: [x] }) => dy.mul(x as Tensor),
    });
    expect(() =>
      gradcheck((p: { x: Tensor }) => wrong(p.x), { x: tensor([0, 3], { dtype: "f64" }) }),
    ).toThrow(/d output\[1\] \/ d x\[1\]: analytic 3, numeric 6/);
    expect(() => gradcheck((x: Tensor) => x.exp(), tensor([1]))).toThrow(
      "gradcheck: (root) is f32: differences need f64",
    );
  });
});
