import { interpreter, type Key, type Op, type Tensor } from "@gradus/core";
import { compile, concat, key, setDefaultDevice, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { customGrad, grad, gradcheck, hvp, jvp, stackTrees, valueAndGrad, vjp, vmap } from "./index.js";

const random = (seed: number, shape: number[]): Tensor => key(seed).normal(shape, { dtype: "f64" });
const row = (x: Tensor, i: number): Tensor => x.slice([i, i + 1]).squeeze(0);
const expectClose = (actual: Tensor, expected: Tensor): void => {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  if (expected.size > 0) expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-9);
};

describe("vmap", () => {
  const f64 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "f64" });

  it("maps over any axis, and puts it anywhere", () => {
    const x = random(1, [2, 3, 4]);
    const f = (y: Tensor): Tensor => y.sum(0, { keepdims: true });
    expectClose(vmap(f, { inAxes: 1, outAxes: 1 })(x), x.sum(0, { keepdims: true }).permute([0, 1, 2]));
    expectClose(vmap(f, { inAxes: -1, outAxes: -1 })(x), x.sum(0, { keepdims: true }));
  });

  it("takes and gives trees, with axes for their parts", () => {
    const f = (p: { w: Tensor; b: Tensor[] }, x: Tensor) => ({
      y: x.mul(p.w).add(p.b[0] as Tensor),
      n: 3,
      same: p.w,
    });
    const result = vmap(f, { inAxes: [{ w: null, b: 0 }, 1], outAxes: { y: 1, n: 0, same: null } })(
      { w: f64([1, 2]), b: [f64([10, 20, 30])] },
      f64([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    expect(result.y.toArray()).toEqual([
      [11, 22, 33],
      [18, 30, 42],
    ]);
    expect(result.n).toBe(3);
    expect(result.same.toArray()).toEqual([1, 2]);
  });

  it("repeats a result that is the same for all examples", () => {
    expect(
      vmap((x: Tensor) => x.zerosLike().add(1))(
        f64([
          [1, 2],
          [3, 4],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it("nests: over two axes, and in both orders", () => {
    const [a, b] = [random(1, [2, 3]), random(2, [4, 3])];
    const dot = (x: Tensor, y: Tensor): Tensor => x.mul(y).sum();
    const outer = vmap((x: Tensor) => vmap((y: Tensor) => dot(x, y))(b))(a);
    expectClose(outer, a.matmul(b.transpose()));
    expectClose(vmap(vmap(dot, { inAxes: [null, 0] }), { inAxes: [0, null] })(a, b), a.matmul(b.transpose()));
    expectClose(vmap(vmap((x: Tensor) => x.square()))(a), a.square());
  });

  it("nests with gradients, inside and outside, closing over what outer transforms watch", () => {
    const xs = random(1, [3, 2]);
    const w0 = random(2, [2]);
    // d/dw sum_i |d/dx sin(w x)|^2 = d/dw sum (w cos(w x))^2
    const f = (w: Tensor): Tensor =>
      vmap((x: Tensor) =>
        grad((y: Tensor) => y.mul(w).sin().sum())(x)
          .square()
          .sum(),
      )(xs).sum();
    const g = (w: Tensor): Tensor => w.mul(xs.mul(w).cos()).square().sum();
    expectClose(f(w0), g(w0));
    expectClose(grad(f)(w0), grad(g)(w0));
    expectClose(compile(grad(f))(w0), grad(g)(w0));
    expectClose(hvp(f, w0, w0), hvp(g, w0, w0));
    gradcheck(f, w0);
  });

  it("has gradients by a closed-over value inside the map, one for each example", () => {
    const w = f64([1, 2]);
    const each = vmap((x: Tensor) => grad((v: Tensor) => v.mul(v).mul(x).sum())(w))(
      f64([
        [1, 1],
        [3, 5],
      ]),
    );
    expect(each.toArray()).toEqual([
      [2, 4],
      [6, 20],
    ]);
  });

  it("maps over pulls and pushes: Jacobians by rows and by columns", () => {
    const [x, a] = [random(1, [3]), random(2, [4, 3])];
    const f = (y: Tensor): Tensor => a.matmul(y).tanh();
    const [, pull] = vjp(f, x);
    const rows = vmap(pull)(identity(4));
    const columns = vmap((t: Tensor) => jvp(f, x, t)[1], { outAxes: 1 })(identity(3));
    const expected = a.mul(a.matmul(x).tanh().square().neg().add(1).unsqueeze(1));
    expectClose(rows, expected);
    expectClose(columns, expected);
  });

  it("maps over a pull of a vmap", () => {
    const xs = random(1, [3, 2]);
    const [, pull] = vjp(
      vmap((x: Tensor) => x.square().sum()),
      xs,
    );
    const rows = vmap(pull)(identity(3));
    expect(rows.shape).toEqual([3, 3, 2]);
    expectClose(rows.sum(0), xs.mul(2));
  });

  it("gives each example its own random numbers where the key is mapped over, else the same", () => {
    const keys = key(7).split(3);
    const f = (k: Key): Tensor =>
      concat([k.normal([4]), k.foldIn(1).uniform([2]), k.split(2)[1]?.uniform([1]) as Tensor]);
    expect(vmap(f)(stackTrees(keys)).toArray()).toEqual(keys.map((k) => f(k).toArray()));
    const permuted = (k: Key): Tensor => k.permutation(5).add(k.categorical(tensor([0, 0, 0])));
    expect(vmap(permuted)(stackTrees(keys)).toArray()).toEqual(keys.map((k) => permuted(k).toArray()));
    const same = vmap((x: Tensor) => x.add(key(1).normal([2])))(
      tensor([
        [0, 0],
        [0, 0],
      ]),
    );
    expect(row(same, 0).toArray()).toEqual(row(same, 1).toArray());
  });

  it("works with custom gradients, and through them from outside", () => {
    const clipped = customGrad((x: Tensor) => x.square(), {
      forward: (x) => [x.square(), { twice: x.mul(2) }] as const,
      backward: (dy, { residuals, inputs: [x] }) => (x as Tensor).gt(0).where(dy.mul(residuals.twice), 0),
    });
    const xs = f64([
      [1, -2],
      [-3, 4],
    ]);
    const expected = [
      [2, 0],
      [0, 8],
    ];
    const loss = (x: Tensor): Tensor => clipped(x).sum();
    expect(vmap(grad(loss))(xs).toArray()).toEqual(expected);
    expect(grad((x: Tensor) => vmap(loss)(x).sum())(xs).toArray()).toEqual(expected);
    expect(compile(grad((x: Tensor) => vmap(loss)(x).sum()))(xs).toArray()).toEqual(expected);
  });

  it("keeps value and gradient of each example", () => {
    const [values, grads] = vmap(valueAndGrad((x: Tensor) => x.square().sum()))(
      f64([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(values.toArray()).toEqual([5, 25]);
    expect(grads.toArray()).toEqual([
      [2, 4],
      [6, 8],
    ]);
  });

  it("calls a compiled function as a part of itself", () => {
    const w = f64([2, 3]);
    const f = compile((x: Tensor) => x.mul(w).sum());
    expect(
      vmap((x: Tensor) => f(x).add(f(w)))(
        f64([
          [1, 1],
          [1, 2],
        ]),
      ).toArray(),
    ).toEqual([18, 21]);
  });

  it("runs the function once, whatever the number of examples", () => {
    let calls = 0;
    vmap((x: Tensor) => {
      calls++;
      return x.exp();
    })(random(1, [100]));
    expect(calls).toBe(1);
  });

  it("takes operations of others: those that lower to loops as they are, natives one by one", () => {
    const native: Op<undefined> = {
      name: "ourArgsort",
      infer: ([x]) => [{ shape: x?.shape ?? [], dtype: "i32" }],
      lower: ([x]) => ({
        kind: "native",
        key: "ourArgsort",
        kernel: () => ({
          kind: "native",
          native: "argsort",
          name: "ourArgsort",
          inputs: ["f64"],
          outputs: ["i32"],
          params: [],
          attrs: { descending: false },
        }),
        sizes: [1, x?.shape[0] ?? 0],
      }),
    };
    const sort = (x: Tensor): Tensor => x.engine.apply(native, [x], undefined)[0] as Tensor;
    const xs = random(1, [3, 5]);
    expect(vmap(sort)(xs).toArray()).toEqual(xs.argsort(1).toArray());
    expect(vmap(sort)(random(1, [0, 5])).shape).toEqual([0, 5]);
  });

  it("has no examples of none", () => {
    expect(vmap((x: Tensor) => x.exp().sum())(random(1, [0, 5])).shape).toEqual([0]);
  });

  it("says what is wrong", () => {
    const x = f64([
      [1, 2],
      [3, 4],
    ]);
    const code = (c: string) => expect.objectContaining({ code: c });
    expect(() => vmap((y: Tensor) => y.mul(y.item()))(x)).toThrow("item: expected one element");
    expect(() => vmap((y: Tensor) => y.mul(y.sum().item()))(x)).toThrow(
      "item: inside vmap() a tensor stands for one of 2 examples",
    );
    expect(() => vmap((y: Tensor) => y, { inAxes: null })(x)).toThrow(code("invalid-argument"));
    expect(() => vmap((y: Tensor) => y, { inAxes: 2 })(x)).toThrow(code("axis-out-of-range"));
    expect(() => vmap((y: Tensor) => y)(f64([1]).sum())).toThrow(code("axis-out-of-range"));
    expect(() => vmap((y: Tensor) => y, { outAxes: 5 })(x)).toThrow(code("axis-out-of-range"));
    expect(() => vmap((y: Tensor) => y, { outAxes: null })(x)).toThrow(code("invalid-argument"));
    expect(() => vmap((a: Tensor, b: Tensor) => a.add(b))(x, f64([1, 2, 3]))).toThrow(
      "vmap: argument 1 has 3 examples along axis 0, those before it have 2",
    );
    expect(() => vmap((a: Tensor, b: Tensor) => a.add(b), { inAxes: [0] })(x, x)).toThrow(
      code("tree-mismatch"),
    );
    expect(() => vmap((y: Tensor) => y.add(f64([1, 2, 3])))(x)).toThrow("add: shapes [2] and [3]");
    expect(() => vmap(async (y: Tensor) => y)(x)).toThrow(code("async-scope"));
    let leaked: Tensor | undefined;
    vmap((y: Tensor) => {
      leaked = y.exp();
      return y;
    })(x);
    expect(() => leaked?.add(1)).toThrow(code("value-in-trace"));
    expect(
      vmap((y: Tensor) => {
        expect(String(y)).toBe("Tensor f64[2] (one of 2 in vmap)");
        return y;
      })(x).toArray(),
    ).toEqual(x.toArray());
  });

  it("frees all that it made, except the result", () => {
    for (const collected of [true, false]) {
      const device = interpreter({ collected });
      setDefaultDevice(device);
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      const y = vmap(grad((p: Tensor) => p.sin().mul(p.exp()).sum()))(x);
      expect(device.memory().buffers).toBe(2);
      y.dispose();
      const z = grad((p: Tensor) => vmap((q: Tensor) => q.sin().mul(q.exp()).sum())(p).sum())(x);
      expect(device.memory().buffers).toBe(2);
      z.dispose();
      expect(() => vmap((p: Tensor) => p.exp().add(tensor([1, 2, 3])))(x)).toThrow();
      expect(device.memory().buffers).toBe(1);
      x.dispose();
      setDefaultDevice(undefined);
    }
  });
});

function identity(n: number): Tensor {
  return tensor(
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j))),
    { dtype: "f64" },
  );
}
