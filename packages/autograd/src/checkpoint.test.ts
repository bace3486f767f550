import { interpreter, type Tensor } from "@gradus/core";
import { compile, key, setDefaultDevice, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import {
  backward,
  checkpoint,
  checkpointSequence,
  grad,
  gradcheck,
  hvp,
  jvp,
  variable,
  vmap,
} from "./index.js";

const f64 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "f64" });
const w = key(1).normal([3, 3], { dtype: "f64" });
const layer = (x: Tensor): Tensor => x.matmul(w).tanh();
const stacked =
  (block: (x: Tensor) => Tensor) =>
  (x: Tensor): Tensor =>
    block(block(x)).square().sum();
const x = key(2).normal([2, 3], { dtype: "f64" });
const plain = stacked(layer);
const saved = stacked(checkpoint(layer));

describe("checkpoint", () => {
  it("has the same values and gradients of any order, eagerly and compiled", () => {
    expect(saved(x).item()).toBe(plain(x).item());
    expect(grad(saved)(x).toArray()).toEqual(grad(plain)(x).toArray());
    expect(compile(grad(saved))(x).toArray()).toEqual(compile(grad(plain))(x).toArray());
    const second = (f: typeof plain) => hvp(f, x, x);
    expect(second(saved).sub(second(plain)).abs().max().item()).toBeLessThan(1e-12);
    expect(
      compile(() => second(saved))()
        .sub(second(plain))
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-12);
    expect(jvp(saved, x, x)[1].item()).toBeCloseTo(jvp(plain, x, x)[1].item(), 12);
    gradcheck(saved, x);
  });

  it("computes once more for the gradient, and not at all without one", () => {
    let runs = 0;
    const block = checkpoint((y: Tensor) => {
      runs++;
      return y.sin();
    });
    block(x);
    expect(runs).toBe(1);
    grad((y: Tensor) => block(y).sum())(x);
    expect(runs).toBe(3);
  });

  it("differentiates by what it closes over: watched values, variables, and both in nested transforms", () => {
    const f = (mark: typeof checkpoint) => (v: Tensor) => {
      const block = mark((y: Tensor) => y.matmul(v).tanh());
      return block(block(x)).square().sum();
    };
    const none = ((g: unknown) => g) as typeof checkpoint;
    const same = (a: Tensor, b: Tensor): void => expect(a.sub(b).abs().max().item()).toBeLessThan(1e-12);
    same(grad(f(checkpoint))(w), grad(f(none))(w));
    same(compile(grad(f(checkpoint)))(w), grad(f(none))(w));
    same(hvp(f(checkpoint), w, w), hvp(f(none), w, w));
    const v = variable(w);
    same(backward(f(checkpoint)(v), { v }).grads.v, grad(f(none))(w));
    const ws = key(5).normal([4, 3, 3], { dtype: "f64" });
    same(vmap(grad(f(checkpoint)))(ws), vmap(grad(f(none)))(ws));
    const all = (mark: typeof checkpoint) => grad((vs: Tensor) => vmap(f(mark))(vs).sum());
    same(all(checkpoint)(ws), all(none)(ws));
    // Inside the map it closes over an example of what is differentiated outside.
    const inner = (mark: typeof checkpoint) =>
      grad((vs: Tensor) =>
        vmap((u: Tensor) => vmap((y: Tensor) => mark((z: Tensor) => z.matmul(u).tanh())(y).sum())(x).sum())(
          vs,
        ).sum(),
      );
    same(inner(checkpoint)(ws), inner(none)(ws));
  });

  it("nests, and holds functions that differentiate themselves", () => {
    const nested = checkpoint((y: Tensor) => checkpoint(layer)(checkpoint(layer)(y)));
    const three = (y: Tensor): Tensor => layer(layer(layer(y)));
    expect(grad((y: Tensor) => nested(layer(y)).sum())(x).toArray()).toEqual(
      grad((y: Tensor) => three(y).sum())(x).toArray(),
    );
    const inner = (y: Tensor): Tensor => grad((z: Tensor) => z.pow(3).sum())(y);
    expect(grad((y: Tensor) => checkpoint(inner)(y).sum())(f64([2])).toArray()).toEqual([12]);
    const through = (y: Tensor): Tensor => grad((z: Tensor) => checkpoint(inner)(z).mul(y).sum())(y);
    // d/dz sum(3 z^2 y) = 6 z y, at z = y.
    expect(grad((y: Tensor) => through(y).sum())(f64([2])).toArray()).toEqual([24]);
  });

  it("takes and gives trees, and integers pass through", () => {
    const f = checkpoint((p: { a: Tensor; n: number }, i: Tensor) => ({ y: p.a.mul(p.n), i: i.add(1) }));
    const g = grad((a: Tensor) => {
      const { y, i } = f({ a, n: 3 }, tensor([1, 2], { dtype: "i32" }));
      return y.mul(i).sum();
    })(f64([1, 1]));
    expect(g.toArray()).toEqual([6, 9]);
  });

  it("draws the same random numbers both times", () => {
    const k = key(0);
    const f = checkpoint((y: Tensor) => k.bernoulli(0.5, [8]).where(y.mul(2), 0));
    const ones = f64(new Array<number>(8).fill(1));
    for (const run of [grad((y: Tensor) => f(y).sum()), compile(grad((y: Tensor) => f(y).sum()))]) {
      expect(run(ones).toArray()).toEqual(f(ones).toArray());
    }
  });

  it("refuses what it cannot do", () => {
    expect(() => checkpoint(() => x)()).toThrow("checkpoint: there is no tensor among the arguments");
    expect(() => checkpoint(async (y: Tensor) => y)(x)).toThrow(
      expect.objectContaining({ code: "async-scope" }),
    );
    expect(() => checkpointSequence([layer, layer], { segments: [1] })).toThrow(
      "checkpointSequence: the segments [1] must be whole numbers that add up to 2",
    );
  });

  it("frees all that it made, except results", () => {
    for (const collected of [true, false]) {
      const device = interpreter({ collected });
      setDefaultDevice(device);
      const [a, v] = [
        tensor([[1, 2]]),
        tensor([
          [1, 0],
          [0, 1],
        ]),
      ];
      const block = checkpoint((y: Tensor) => y.matmul(v).sin().exp());
      const y = block(a);
      expect(device.memory().buffers).toBe(3);
      const g = grad((b: Tensor) => block(block(b)).sum())(a);
      expect(device.memory().buffers).toBe(4);
      for (const t of [a, v, y, g]) t.dispose();
      expect(device.memory().buffers).toBe(0);
      setDefaultDevice(undefined);
    }
  });
});

describe("checkpointSequence", () => {
  it("cuts n functions into falling segments, and computes the last at once", () => {
    let runs = 0;
    const counted = Array.from({ length: 10 }, () => (y: Tensor) => {
      runs++;
      return layer(y);
    });
    const network = checkpointSequence(counted);
    const g = grad((y: Tensor) => network(y).sum())(x);
    // 4 + 3 + 2 + 1 functions, all but the last again.
    expect(runs).toBe(19);
    const whole = (y: Tensor): Tensor => counted.reduce((v, f) => f(v), y).sum();
    expect(g.toArray()).toEqual(grad(whole)(x).toArray());
  });
});
