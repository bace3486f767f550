import { type Backend, interpreter, isGradusError, type Tensor } from "@gradus/core";
import {
  compile,
  full,
  openScope,
  scope,
  scopeDepth,
  setDefaultDevice,
  stack,
  tensor,
  where,
} from "@gradus/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** The code of what `f` throws; undefined if it throws nothing. */
function codeOf(f: () => unknown): string | undefined {
  try {
    f();
    return undefined;
  } catch (error) {
    return isGradusError(error) ? error.code : String(error);
  }
}

describe.each([
  { name: "a device whose memory is collected", create: () => interpreter() },
  { name: "a device whose memory must be freed", create: () => interpreter({ collected: false }) },
])("on $name", ({ create }) => {
  let device: Backend;
  const live = (): number => device.memory().buffers;

  beforeEach(() => {
    device = create();
    setDefaultDevice(device);
  });

  afterEach(() => {
    expect(live(), "buffers left behind by this test").toBe(0);
  });

  describe("dispose", () => {
    it("gives the memory back", () => {
      const x = tensor([1, 2, 3]);
      expect(device.memory()).toEqual({ buffers: 1, bytes: 12 });
      x.dispose();
      expect(device.memory()).toEqual({ buffers: 0, bytes: 0 });
    });

    it("does nothing the second time", () => {
      const [x, y] = [tensor([1]), tensor([2])];
      x.dispose();
      x.dispose();
      expect(live()).toBe(1);
      y.dispose();
    });

    it("makes every use an error", async () => {
      const [x, y] = [tensor([1, 2]), tensor([3, 4])];
      x.dispose();
      for (const use of [
        () => x.add(1),
        () => y.add(x),
        () => x.sum(),
        () => x.reshape([2, 1]),
        () => x.detach(),
        () => x.data(),
        () => x.toArray(),
        () => stack([y, x]),
        () => where(y.gt(0), x, y),
        () => compile((a: Tensor) => a.add(1))(x),
      ]) {
        expect(scope(() => codeOf(use))).toBe("disposed");
      }
      expect(await x.read().catch((error: unknown) => isGradusError(error, "disposed"))).toBe(true);
      y.dispose();
    });

    it("is shown when the tensor is printed, and leaves shape and dtype", () => {
      const x = tensor([1, 2]);
      x.dispose();
      expect(String(x)).toBe("Tensor f32[2] (disposed)");
      expect(x.shape).toEqual([2]);
    });

    it("is what using does", () => {
      {
        using x = tensor([1, 2]);
        expect(x.size).toBe(2);
        expect(live()).toBe(1);
      }
      expect(live()).toBe(0);
    });
  });

  describe("views", () => {
    it("share memory, which is freed with the last of them", () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const views = [x.transpose(), x.reshape([6]), x.slice([1, 2]), x.flip(0), x.unsqueeze(0), x.detach()];
      expect(live()).toBe(1);
      x.dispose();
      expect((views[0] as Tensor).toArray()).toEqual([
        [1, 4],
        [2, 5],
        [3, 6],
      ]);
      for (const view of views.slice(1)) view.dispose();
      expect(live()).toBe(1);
      views[0]?.dispose();
    });

    it("of an expanded tensor take no memory", () => {
      const x = tensor([1]);
      const y = x.expand([1000, 1]);
      expect(device.memory()).toEqual({ buffers: 1, bytes: 4 });
      x.dispose();
      y.dispose();
    });

    it("copy where strides cannot say it", () => {
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const flat = scope(() => x.transpose().reshape([4]));
      expect(live()).toBe(2);
      x.dispose();
      expect(flat.toArray()).toEqual([1, 3, 2, 4]);
      flat.dispose();
    });

    it("are read without leaving a copy", async () => {
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const y = x.transpose();
      expect([...y.data()]).toEqual([1, 3, 2, 4]);
      expect([...(await y.read())]).toEqual([1, 3, 2, 4]);
      expect(live()).toBe(1);
      x.dispose();
      y.dispose();
    });
  });

  describe("scope", () => {
    it("frees all that it made, except the result", () => {
      const x = tensor([1, 2, 3]);
      const y = scope(() =>
        x
          .exp()
          .add(1)
          .log()
          .mul(tensor([2, 2, 2])),
      );
      expect(live()).toBe(2);
      expect(y.data().length).toBe(3);
      x.dispose();
      y.dispose();
    });

    it("keeps every tensor of a tree", () => {
      const result = scope(() => {
        const x = tensor([1, 2]);
        return { sum: x.sum(), parts: [x.square(), "a constant", 3] as const, none: null };
      });
      expect(live()).toBe(2);
      expect(result.sum.item()).toBe(3);
      result.sum.dispose();
      result.parts[0].dispose();
    });

    it("keeps what the result is a view of", () => {
      const y = scope(() => tensor([1, 2, 3, 4]).square().slice([1, 3]));
      expect(live()).toBe(1);
      expect(y.toArray()).toEqual([4, 9]);
      y.dispose();
    });

    it("leaves tensors from outside alone", () => {
      const x = tensor([1]);
      expect(scope(() => x)).toBe(x);
      scope(() => undefined);
      expect(x.item()).toBe(1);
      x.dispose();
    });

    it("may dispose within itself", () => {
      scope(() => {
        const x = tensor([1]);
        x.dispose();
      });
      expect(live()).toBe(0);
    });

    it("hands its result to the scope around it", () => {
      const x = tensor([2]);
      const y = scope(() => {
        const inner = scope(() => x.square().square());
        expect(live()).toBe(2);
        const other = scope(() => x.add(1));
        expect(live()).toBe(3);
        return inner.add(other);
      });
      expect(live()).toBe(2);
      expect(y.item()).toBe(19);
      x.dispose();
      y.dispose();
    });

    it("frees all if it throws, and rethrows the error", () => {
      const mistake = new Error("a mistake");
      expect(() =>
        scope(() => {
          tensor([1]).exp();
          scope(() => tensor([2]).exp());
          throw mistake;
        }),
      ).toThrow(mistake);
      expect(live()).toBe(0);
      expect(scopeDepth()).toBe(0);
    });

    it("frees all if its result is no tree", () => {
      expect(codeOf(() => scope(() => new Map([["x", tensor([1]).exp()]])))).toBe("tree-mismatch");
      expect(live()).toBe(0);
    });

    it("refuses a callback that returns a Promise, by its type and with an error", () => {
      // @ts-expect-error a scope ends before the Promise does, so its type takes no async callback
      const call = () => scope(async () => tensor([1]).exp());
      expect(codeOf(call)).toBe("async-scope");
      expect(live()).toBe(0);
      expect(scopeDepth()).toBe(0);
    });

    it("says how deep it is", () => {
      expect(scopeDepth()).toBe(0);
      scope(() => {
        expect(scopeDepth()).toBe(1);
        expect(scope(() => scopeDepth())).toBe(2);
      });
      expect(scopeDepth()).toBe(0);
    });
  });

  describe("openScope", () => {
    it("owns what is made in run, until it is disposed", async () => {
      const open = openScope();
      const y = open.run(() => tensor([1, 2, 3]).square().sum());
      expect(live()).toBe(3);
      expect([...(await y.read())]).toEqual([14]);
      const z = open.run(() => y.add(1));
      expect(z.item()).toBe(15);
      open.dispose();
      expect(live()).toBe(0);
      expect(codeOf(() => y.item())).toBe("disposed");
    });

    it("owns what it tracks, and gives up what it keeps", () => {
      const open = openScope();
      const tracked = open.track({ x: tensor([1]), y: tensor([2]) });
      const kept = open.keep(open.run(() => tracked.x.add(tracked.y)));
      open.dispose();
      expect(live()).toBe(1);
      expect(kept.item()).toBe(3);
      kept.dispose();
    });

    it("takes nothing from outside of run", () => {
      const open = openScope();
      const x = tensor([1]);
      open.run(() => x.add(1));
      open.dispose();
      expect(x.item()).toBe(1);
      x.dispose();
    });

    it("may be disposed twice, and used again", () => {
      const open = openScope();
      open.run(() => tensor([1]));
      open.dispose();
      open.dispose();
      open.run(() => tensor([1]));
      expect(live()).toBe(1);
      open[Symbol.dispose]();
    });

    it("is left when run throws, and still owns what was made", () => {
      const open = openScope();
      expect(() =>
        open.run(() => {
          tensor([1]);
          throw new Error("a mistake");
        }),
      ).toThrow("a mistake");
      expect(scopeDepth()).toBe(0);
      open.dispose();
    });

    it("hands what a scope inside of it returns to itself", () => {
      const open = openScope();
      open.run(() => scope(() => tensor([1]).exp().exp()));
      expect(live()).toBe(1);
      open.dispose();
    });
  });

  describe("compile", () => {
    it("allocates nothing after the first call, except results", () => {
      const w = tensor([
        [1, 2],
        [3, 4],
      ]);
      const f = compile((x: Tensor) => x.matmul(w).tanh().softmax(1).sum(0));
      const x = tensor([
        [0.1, 0.2],
        [0.3, 0.4],
        [0.5, 0.6],
      ]);
      f(x).dispose();
      const before = device.memory();
      for (let i = 0; i < 100; i++) {
        const y = f(x);
        expect(live()).toBe(before.buffers + 1);
        y.dispose();
        expect(device.memory()).toEqual(before);
      }
      f.dispose();
      x.dispose();
      w.dispose();
    });

    it("copies an argument that is a view, for the call only", () => {
      const f = compile((x: Tensor) => x.mul(2));
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const y = x.transpose();
      for (let i = 0; i < 3; i++) {
        const z = f(y);
        expect(z.toArray()).toEqual([
          [2, 6],
          [4, 8],
        ]);
        z.dispose();
      }
      const rest = live();
      f(y).dispose();
      expect(live()).toBe(rest);
      f.dispose();
      x.dispose();
      y.dispose();
    });

    it("keeps memory for each kind of argument, and gives all of it back", () => {
      const f = compile((x: Tensor, k: number) => x.cumsum(0).mul(k).exp().sum());
      for (const n of [1, 2, 3]) {
        for (const k of [1, 2]) scope(() => f(full([n], 1), k).dispose());
      }
      expect(live()).toBeGreaterThan(0);
      f.dispose();
      expect(live()).toBe(0);
      expect(scope(() => f(full([2], 0), 1).item())).toBe(2);
      f.dispose();
    });

    it("returns results that live on their own", () => {
      const f = compile((x: Tensor) => {
        const y = x.add(1);
        return { a: y, b: y, c: y.transpose(), d: x };
      });
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const { a, b, c, d } = f(x);
      x.dispose();
      a.dispose();
      f.dispose();
      expect(b.toArray()).toEqual([
        [2, 3],
        [4, 5],
      ]);
      expect(c.toArray()).toEqual([
        [2, 4],
        [3, 5],
      ]);
      expect(d.toArray()).toEqual([
        [1, 2],
        [3, 4],
      ]);
      for (const y of [b, c, d]) y.dispose();
    });

    it("keeps captured tensors, though they are disposed outside", () => {
      const w = tensor([10, 20]);
      const f = compile((x: Tensor) => x.mul(w).add(tensor([1, 1])));
      const x = tensor([1, 2]);
      f(x).dispose();
      w.dispose();
      const y = f(x);
      expect(y.toArray()).toEqual([11, 41]);
      f.dispose();
      x.dispose();
      y.dispose();
    });

    it("gives captured memory back, also if several captured tensors share it", () => {
      const w = tensor([
        [1, 2],
        [3, 4],
      ]);
      const v = w.transpose();
      const unused = tensor([1]);
      const f = compile((x: Tensor) => {
        unused.add(1);
        return x.matmul(w).matmul(v);
      });
      const x = tensor([
        [1, 0],
        [0, 1],
      ]);
      f(x).dispose();
      f.dispose();
      for (const t of [w, v, x, unused]) t.dispose();
      expect(live()).toBe(0);
    });

    it("returns a captured tensor as it is", () => {
      const w = tensor([1, 2]);
      const f = compile((x: Tensor) => [x.add(w), w] as const);
      const x = tensor([1, 1]);
      const [sum, same] = f(x);
      for (const t of [w, x, sum]) t.dispose();
      f.dispose();
      expect(same.toArray()).toEqual([1, 2]);
      same.dispose();
    });

    it("keeps constants that are made inside and returned, and nothing else of them", () => {
      const f = compile((x: Tensor) => [tensor([7, 8]), x.add(1), full([2], 3)] as const);
      const x = tensor([1, 2]);
      for (let i = 0; i < 2; i++) {
        const [made, sum, filled] = f(x);
        expect(made.toArray()).toEqual([7, 8]);
        for (const t of [made, sum, filled]) t.dispose();
      }
      f.dispose();
      x.dispose();
      expect(live()).toBe(0);
    });

    it("refuses to capture a tensor of another device", () => {
      const other = interpreter();
      const w = tensor([1, 2], { device: other });
      const x = tensor([1, 2]);
      expect(codeOf(() => compile((a: Tensor) => a.add(1).mul(w))(x))).toBe("device-mismatch");
      expect(codeOf(() => compile(() => w.mul(2))())).toBe("device-mismatch");
      x.dispose();
    });

    it("leaves nothing behind if the function throws", () => {
      const w = tensor([1, 2]);
      const f = compile((x: Tensor): Tensor => {
        x.mul(w).add(tensor([3, 4]));
        throw new Error("a mistake");
      });
      const x = tensor([1, 1]);
      expect(() => f(x)).toThrow("a mistake");
      f.dispose();
      w.dispose();
      x.dispose();
      expect(live()).toBe(0);
    });

    it("refuses a function that returns a Promise, by its type and with an error", () => {
      // @ts-expect-error what is recorded ends before the Promise does, so the type takes no async function
      const f = compile(async (x: Tensor) => x.exp());
      const x = tensor([1]);
      expect(codeOf(() => f(x))).toBe("async-scope");
      x.dispose();
    });

    it("takes part in the scope around the call", () => {
      const f = compile((x: Tensor) => x.exp());
      const x = tensor([0]);
      const y = scope(() => {
        f(x);
        return f(x).add(f(x));
      });
      expect(y.item()).toBe(2);
      f.dispose();
      expect(live()).toBe(2);
      x.dispose();
      y.dispose();
    });
  });

  describe("donate", () => {
    it("updates in place: no memory beside the donated", () => {
      const step = compile((p: Tensor, g: Tensor) => p.sub(g.mul(0.5)), { donate: [0] });
      const g = tensor([2, 4]);
      let p: Tensor = tensor([1, 2]);
      p = step(p, g);
      const before = device.memory();
      for (let i = 0; i < 100; i++) {
        p = step(p, g);
        expect(device.memory()).toEqual(before);
      }
      expect(p.toArray()).toEqual([1 - 101, 2 - 202]);
      step.dispose();
      p.dispose();
      g.dispose();
    });

    it("reuses every buffer of a tree", () => {
      const step = compile(
        (state: { p: Tensor; m: Tensor }, g: Tensor) => {
          const m = state.m.mul(0.5).add(g);
          return { p: state.p.sub(m), m };
        },
        { donate: [0] },
      );
      let state = { p: tensor([8, 8]) as Tensor, m: tensor([0, 0]) as Tensor };
      const g = tensor([1, 2]);
      for (let i = 0; i < 3; i++) state = step(state, g);
      expect(state.p.toArray()).toEqual([8 - 1 - 1.5 - 1.75, 8 - 2 - 3 - 3.5]);
      step.dispose();
      expect(live()).toBe(3);
      for (const t of [state.p, state.m, g]) t.dispose();
    });

    it("frees what no result can take over", () => {
      const f = compile((x: Tensor) => x.sum(), { donate: [0] });
      const y = f(tensor([1, 2, 3]));
      f.dispose();
      expect(live()).toBe(1);
      expect(y.item()).toBe(6);
      y.dispose();
    });

    it("returns a donated argument that passes through", () => {
      const f = compile((x: Tensor, y: Tensor) => [x, x.add(y)] as const, { donate: [0] });
      const [x, y] = [tensor([1]), tensor([2])];
      const [same, sum] = f(x, y);
      expect(same.item()).toBe(1);
      expect(sum.item()).toBe(3);
      expect(codeOf(() => x.item())).toBe("donated");
      f.dispose();
      for (const t of [same, sum, y]) t.dispose();
    });

    it("gives a donated argument that is returned twice memory for each", () => {
      const f = compile((x: Tensor) => [x.unsqueeze(0), x, x.add(1)] as const, { donate: [0] });
      const results = f(tensor([1, 2]));
      expect(live()).toBe(3);
      expect(results.map((y) => y.toArray())).toEqual([[[1, 2]], [1, 2], [2, 3]]);
      for (const y of results) y.dispose();
      f.dispose();
    });

    it("makes every later use an error, of views and aliases too", () => {
      const f = compile((x: Tensor) => x.add(1), { donate: [0] });
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const aliases = [x.transpose(), x.detach(), x.reshape([4])];
      const y = f(x);
      for (const dead of [x, ...aliases]) {
        expect(codeOf(() => dead.add(1))).toBe("donated");
        expect(codeOf(() => dead.data())).toBe("donated");
        expect(codeOf(() => f(dead))).toBe("donated");
        expect(String(dead)).toContain("(donated)");
      }
      expect(y.toArray()).toEqual([
        [2, 3],
        [4, 5],
      ]);
      // Disposing what was donated is allowed, and frees nothing.
      for (const dead of [x, ...aliases]) dead.dispose();
      expect(y.toArray()).toEqual([
        [2, 3],
        [4, 5],
      ]);
      f.dispose();
      y.dispose();
    });

    it("takes a view: its whole memory is donated", () => {
      const f = compile((x: Tensor) => x.mul(2), { donate: [0] });
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const y = f(x.transpose());
      expect(codeOf(() => x.sum())).toBe("donated");
      expect(y.toArray()).toEqual([
        [2, 6],
        [4, 8],
      ]);
      f.dispose();
      expect(live()).toBe(1);
      y.dispose();
    });

    it("refuses two arguments that share memory, and spends neither", () => {
      const f = compile((x: Tensor, y: Tensor) => x.add(y), { donate: [0] });
      const x = tensor([1, 2]);
      const alias = x.detach();
      expect(codeOf(() => f(x, x))).toBe("donated");
      expect(codeOf(() => f(x, alias))).toBe("donated");
      expect(codeOf(() => f(alias, x))).toBe("donated");
      expect(x.toArray()).toEqual([1, 2]);
      const g = compile((a: Tensor, b: Tensor) => a.add(b));
      expect(scope(() => g(x, x).toArray())).toEqual([2, 4]);
      f.dispose();
      g.dispose();
      alias.dispose();
      x.dispose();
    });

    it("does not touch a captured tensor that shares memory with the argument", () => {
      const x = tensor([1, 2]);
      const alias = x.detach();
      const f = compile((a: Tensor) => a.add(1).mul(alias), { donate: [0] });
      expect(codeOf(() => f(x))).toBe("donated");
      expect(x.toArray()).toEqual([1, 2]);
      f.dispose();
      x.dispose();
      alias.dispose();
    });

    it("keeps the last good values where the update says so", () => {
      const step = compile(
        (p: Tensor, g: Tensor) => {
          const next = p.sub(g);
          return next.isFinite().all().where(next, p);
        },
        { donate: [0] },
      );
      let p: Tensor = tensor([1, 2]);
      for (const g of [
        [0.5, 0.5],
        [Number.NaN, 1],
        [0, 1],
      ]) {
        const gradient = tensor(g);
        p = step(p, gradient);
        gradient.dispose();
      }
      expect(p.toArray()).toEqual([0.5, 0.5]);
      step.dispose();
      p.dispose();
    });

    it("refuses positions that are none", () => {
      for (const donate of [[-1], [0.5], [Number.NaN]]) {
        expect(codeOf(() => compile((x: Tensor) => x, { donate }))).toBe("invalid-argument");
      }
    });
  });
});
