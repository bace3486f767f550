import { checkpoint, grad, valueAndGrad, vmap } from "@gradus/autograd";
import { currentOperandCast, type Tensor } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { conv2d, linear, relu, sequential } from "@gradus/nn";
import { adam, applyUpdates, lossScaled } from "@gradus/optimizers";
import { autocast, compile, key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";

const x = key(0).normal([5, 4]);
const w = key(1).normal([4, 3]);
const values = (t: Tensor): number[] => [...t.data()];

describe("autocast", () => {
  it("multiplies in f16 and takes what loses too much there in f32", () => {
    const half = x.cast("f16");
    const dtypes = autocast(() =>
      [
        x.matmul(w),
        half.add(1).relu(),
        half.add(x),
        half.exp(),
        half.sum(),
        half.mean(0),
        half.softmax(-1),
        x.cast("f64").matmul(w.cast("f64")),
        x.gt(0),
      ].map((y) => y.dtype),
    );
    expect(dtypes).toEqual(["f16", "f16", "f32", "f32", "f32", "f32", "f32", "f64", "bool"]);
    expect(x.matmul(w).dtype).toBe("f32");
    expect(half.exp().dtype).toBe("f16");
    const product = autocast(() => x.matmul(w));
    expect(values(product)).toEqual(values(half.matmul(w.cast("f16"))));
  });

  it("ends where its function ends, and with its errors", () => {
    expect(() =>
      autocast(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(currentOperandCast()).toBeUndefined();
    expect(() => autocast((async () => x) as never)).toThrow(
      expect.objectContaining({ code: "async-scope" }),
    );
  });

  it("gives layers results of f16, and parameters gradients of f32", () => {
    const model = sequential(linear(4, 6), relu(), linear(6, 3));
    const { params, state } = model.init(key(2));
    const run = (p: typeof params): Tensor => autocast(() => model.apply(p, state, x, { train: true })[0]);
    expect(run(params).dtype).toBe("f16");
    const conv = conv2d(1, 2, 3);
    const image = key(3).normal([1, 1, 5, 5]);
    const made = conv.init(key(4));
    expect(autocast(() => conv.apply(made.params, made.state, image, { train: true })[0]).dtype).toBe("f16");

    const classes = tensor([0, 1, 2, 0, 1], { dtype: "i32" });
    const loss = (p: typeof params): Tensor => autocast(() => crossEntropy(run(p), classes));
    const [value, grads] = valueAndGrad(loss)(params);
    const exact = valueAndGrad((p: typeof params) =>
      crossEntropy(model.apply(p, state, x, { train: true })[0], tensor([0, 1, 2, 0, 1], { dtype: "i32" })),
    )(params);
    expect([value.dtype, grads[0].weight.dtype, grads[2].bias.dtype]).toEqual(["f32", "f32", "f32"]);
    expect(Math.abs(value.item() - exact[0].item())).toBeLessThan(5e-3);
    expect(grads[0].weight.sub(exact[1][0].weight).abs().max().item()).toBeLessThan(5e-3);
  });

  const f = (a: Tensor, b: Tensor): Tensor => a.matmul(b).tanh().exp().matmul(b.transpose()).square().mean();

  it("may be around a gradient or within it: the way back is not cast", () => {
    const within = grad((b: Tensor) => autocast(() => f(x, b)))(w);
    const around = autocast(() => grad((b: Tensor) => f(x, b))(w));
    expect(within.dtype).toBe("f32");
    expect(values(around)).toEqual(values(within));
    const twice = (b: Tensor): Tensor =>
      grad((c: Tensor) => autocast(() => f(x, c)))(b)
        .square()
        .sum();
    expect(grad(twice)(w).dtype).toBe("f32");
  });

  it("works within compile, and around what is compiled", () => {
    const eager = autocast(() => f(x, w)).item();
    const compiled = compile(f);
    expect(compile((a: Tensor, b: Tensor) => autocast(() => f(a, b)))(x, w).item()).toBe(eager);
    const plain = compiled(x, w).item();
    expect(plain).not.toBe(eager);
    expect(autocast(() => compiled(x, w)).item()).toBe(eager);
    expect(compiled(x, w).item()).toBe(plain);
  });

  it("is the same when a checkpoint computes again, and for each example", () => {
    const plain = grad((b: Tensor) => autocast(() => f(x, b)))(w);
    const again = grad((b: Tensor) => autocast(() => checkpoint((c: Tensor) => f(x, c))(b)))(w);
    expect(values(again)).toEqual(values(plain));
    const rows = autocast(() => vmap((row: Tensor) => row.unsqueeze(0).matmul(w).squeeze(0))(x));
    expect(rows.dtype).toBe("f16");
    expect(values(rows)).toEqual(values(autocast(() => x.matmul(w))));
  });

  it("trains, with a loss that is scaled", () => {
    const model = sequential(linear(2, 8), relu(), linear(8, 2));
    const start = model.init(key(5));
    const inputs = key(6).normal([64, 2]);
    const classes = inputs.prod(1).gt(0).cast("i32");
    const rule = lossScaled(adam({ lr: 0.02 }));
    type Params = typeof start.params;
    const step = compile((p: Params, s: ReturnType<typeof rule.init<Params>>) => {
      const loss = (q: Params): Tensor =>
        autocast(() => crossEntropy(model.apply(q, start.state, inputs, { train: true })[0], classes));
      const [value, grads] = valueAndGrad((q: Params) => loss(q).mul(rule.lossScale(s)))(p);
      const { updates, state } = rule.update(grads, s, { params: p });
      return { p: applyUpdates(p, updates), s: state, loss: value.div(rule.lossScale(s)) };
    });
    let [p, s] = [start.params, rule.init(start.params)];
    const losses: number[] = [];
    for (let k = 0; k < 150; k++) {
      const result = step(p, s);
      [p, s] = [result.p, result.s];
      losses.push(result.loss.item());
    }
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 3);
  });
});
