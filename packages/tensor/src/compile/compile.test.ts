import { interpreter, type Key, type Scalar, scalar, type Tensor } from "@gradus/core";
import { describe, expect, expectTypeOf, it } from "vitest";
import { compile, key, ones, tensor, zeros } from "../index.js";

describe("compile", () => {
  it("gives what the function gives, on every call", () => {
    const f = (x: Tensor, y: Tensor): Tensor => x.sub(y).square().mean().sqrt();
    const compiled = compile(f);
    for (const scale of [1, 2, 3]) {
      const [x, y] = [tensor([1, 2, 3]).mul(scale), tensor([0, 5, 1])];
      expect(compiled(x, y).item()).toBe(f(x, y).item());
    }
  });

  it("returns an argument that is a view, and leaves the view alone", () => {
    const view = tensor([1, 2, 3, 4]).slice([1, 3]);
    const same = compile((x: Tensor) => x)(view);
    expect(same.toArray()).toEqual([2, 3]);
    view.dispose();
    expect(same.add(1).toArray()).toEqual([3, 4]);
  });

  it("runs the function once per kind of arguments, not per call", () => {
    let runs = 0;
    const f = compile((x: Tensor) => {
      runs++;
      return x.add(1);
    });
    f(tensor([1]));
    f(tensor([2]));
    expect(runs).toBe(1);
    f(tensor([1, 2]));
    f(tensor([1], { dtype: "f64" }));
    expect(runs).toBe(3);
  });

  it("takes and returns trees, and keeps their types", () => {
    const f = compile((p: { w: Tensor; layers: Tensor[] }, flag: boolean) => ({
      p: { ...p, w: flag ? p.w.neg() : p.w },
      extra: [p.layers.length, "name"] as const,
    }));
    const result = f({ w: tensor([1]), layers: [tensor([2])] }, true);
    expectTypeOf(result.p.w).toEqualTypeOf<Tensor>();
    expect(result.p.w.toArray()).toEqual([-1]);
    expect(result.p.layers[0]?.toArray()).toEqual([2]);
    expect(result.extra).toEqual([1, "name"]);
    expect(f({ w: tensor([1]), layers: [] }, false).p.w.toArray()).toEqual([1]);
  });

  it("computes Scalars on the host on every call, without recording again", () => {
    let runs = 0;
    const f = compile((x: Tensor, step: Scalar) => {
      runs++;
      return { x: x.mul(step.map((t) => 10 ** t)), step: step.map((t) => t + 1) };
    });
    let state = { x: tensor([1]), step: scalar(0) };
    for (let i = 0; i < 4; i++) state = f(state.x, state.step);
    expect(runs).toBe(1);
    expect(state.step.value).toBe(4);
    expect(state.x.item()).toBe(10 ** 6);
    expect(() => compile((s: Scalar) => s.value)(scalar(1))).toThrow(
      expect.objectContaining({ code: "value-in-trace" }),
    );
  });

  it("takes keys, so that every call draws its own numbers", () => {
    const f = compile((k: Key) => k.normal([3]));
    expect(f(key(1)).toArray()).toEqual(key(1).normal([3]).toArray());
    expect(f(key(2)).toArray()).not.toEqual(f(key(1)).toArray());
    const folded = compile((k: Key, step: Scalar) => k.foldIn(step).uniform([2]));
    expect(folded(key(0), scalar(5)).toArray()).toEqual(key(0).foldIn(5).uniform([2]).toArray());
  });

  it("reads captured tensors as they were, also after they are disposed", () => {
    const c = tensor([1, 2, 3]);
    const f = compile((x: Tensor) => x.add(c).add(tensor([10, 10, 10])));
    expect(f(zeros([3])).toArray()).toEqual([11, 12, 13]);
    c.dispose();
    expect(f(zeros([3])).toArray()).toEqual([11, 12, 13]);
  });

  it("returns arguments, captured tensors, views and the same value twice as tensors of their own", () => {
    const c = tensor([7]);
    const f = compile((x: Tensor) => {
      const y = x.add(1);
      return { x, c, y, again: y, turned: x.transpose(), part: y.slice([0, 1]) };
    });
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const r = f(x);
    expect(r.x.toArray()).toEqual(x.toArray());
    expect(r.turned.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(r.part.toArray()).toEqual([[2, 3]]);
    r.y.dispose();
    r.x.dispose();
    expect(r.again.toArray()).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(r.c.item()).toBe(7);
  });

  it("takes views as arguments", () => {
    const f = compile((x: Tensor) => x.mul(1));
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(f(x.transpose()).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(f(x.slice([1, 2])).toArray()).toEqual([[3, 4]]);
  });

  it("may be called inside another compiled function", () => {
    const inner = compile((x: Tensor) => x.square());
    const outer = compile((x: Tensor) => inner(x).add(inner(x.add(1))));
    expect(outer(tensor([1, 2])).toArray()).toEqual([5, 13]);
  });

  it("drops what no result needs", () => {
    const f = compile((x: Tensor) => {
      x.exp().sum();
      return x.add(1);
    });
    f(ones([3]));
    expect(f.explain()).toContain("1 kernels on interpreter");
  });

  it("says what cannot be done inside, and what to do instead", () => {
    const x = tensor([1, 2]);
    expect(() => compile((a: Tensor) => (a.sum().item() > 0 ? a : a.neg()))(x)).toThrow(
      "item: inside compile() a tensor has no values yet",
    );
    // @ts-expect-error: a compiled function is synchronous
    expect(() => compile(async (a: Tensor) => a)(x)).toThrow(
      expect.objectContaining({ code: "async-scope" }),
    );
    let leaked: Tensor | undefined;
    compile((a: Tensor) => {
      leaked = a.add(1);
      return leaked;
    })(x);
    expect(() => leaked?.add(1)).toThrow(expect.objectContaining({ code: "value-in-trace" }));
    // @ts-expect-error: donate takes positions
    expect(() => compile((a: Tensor) => a, { donate: ["x"] })).toThrow(
      "compile: donate lists argument positions",
    );
  });

  it("reports an index out of range at the next read", () => {
    const f = compile((x: Tensor, i: Tensor) => x.gather(0, i));
    const y = f(tensor([1, 2, 3]), tensor([0, 3], { dtype: "i32" }));
    expect(() => y.data()).toThrow(expect.objectContaining({ code: "index-out-of-range" }));
    expect(f(tensor([1, 2, 3]), tensor([0, 2], { dtype: "i32" })).toArray()).toEqual([1, 3]);
  });

  it("keeps at most 64 variants and goes on working", () => {
    const device = interpreter({ collected: false });
    const f = compile((x: Tensor, n: number) => x.mul(n).add(x));
    const x = tensor([1], { device });
    for (let n = 0; n < 100; n++) {
      const y = f(x, n);
      expect(y.item()).toBe(n + 1);
      y.dispose();
    }
    expect(device.memory().buffers).toBeLessThanOrEqual(65);
    f.dispose();
    expect(device.memory().buffers).toBe(1);
  });
});

describe("donation", () => {
  it("updates in place and kills the argument and its aliases", () => {
    const device = interpreter({ collected: false });
    const step = compile((p: Tensor, g: Tensor) => p.sub(g.mul(0.1)), { donate: [0] });
    const g = ones([4], { device });
    let p = zeros([4], { device });
    const alias = p.reshape([2, 2]);
    const before = p;
    p = step(p, g);
    const { buffers } = device.memory();
    for (let i = 0; i < 10; i++) p = step(p, g);
    expect(device.memory().buffers).toBe(buffers);
    expect(p.toArray()).toEqual(new Array(4).fill(expect.closeTo(-1.1, 5)));
    expect(() => before.add(1)).toThrow(expect.objectContaining({ code: "donated" }));
    expect(() => alias.add(1)).toThrow(expect.objectContaining({ code: "donated" }));
  });

  it("refuses memory that two arguments share", () => {
    const step = compile((p: Tensor, q: Tensor) => p.add(q), { donate: [0] });
    const p = ones([2]);
    expect(() => step(p, p)).toThrow("compile: arguments 0 and 1 share memory, and one of them is donated");
    expect(p.toArray()).toEqual([1, 1]);
  });

  it("takes arguments that share memory if all of them are donated", () => {
    const device = interpreter({ collected: false });
    const f = compile((x: Tensor, y: Tensor) => ({ x: x.add(1), y: y.mul(10) }), { donate: [0, 1] });
    const x = tensor([1, 2], { device });
    const r = f(x, x.reshape([2]));
    expect([r.x.toArray(), r.y.toArray()]).toEqual([
      [2, 3],
      [10, 20],
    ]);
    r.x.dispose();
    r.y.dispose();
    f.dispose();
    expect(device.memory().buffers).toBe(0);
  });

  it("is right where a value is still needed after its successor is written", () => {
    const device = interpreter({ collected: false });
    const swap = compile((a: Tensor, b: Tensor) => ({ a: b.add(a), b: a.sub(b) }), { donate: [0, 1] });
    const r = swap(tensor([1, 2], { device }), tensor([10, 20], { device }));
    expect(r.a.toArray()).toEqual([11, 22]);
    expect(r.b.toArray()).toEqual([-9, -18]);
    const turn = compile((x: Tensor) => x.add(x.transpose()), { donate: [0] });
    expect(
      turn(
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { device },
        ),
      ).toArray(),
    ).toEqual([
      [2, 5],
      [5, 8],
    ]);
  });

  it("takes views, passes arguments through, and frees what no result takes over", () => {
    const device = interpreter({ collected: false });
    const f = compile((x: Tensor, y: Tensor) => ({ x, s: y.sum() }), { donate: [0, 1] });
    const base = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    const r = f(base.transpose(), ones([3], { device }));
    expect(r.x.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(r.s.item()).toBe(3);
    r.x.dispose();
    r.s.dispose();
    f.dispose();
    expect(device.memory().buffers).toBe(0);
  });
});
