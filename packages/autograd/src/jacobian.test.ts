import { interpreter, type Tensor } from "@gradus/core";
import { compile, key, setDefaultDevice, stack, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { fisherVp, gaussNewtonVp, grad, hessian, hvp, jacobian, stopGradient, vmap } from "./index.js";

const random = (seed: number, shape: number[]): Tensor => key(seed).normal(shape, { dtype: "f64" });
const f64 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "f64" });
const expectClose = (actual: Tensor, expected: Tensor, tolerance = 1e-10): void => {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.sub(expected).abs().max().item()).toBeLessThan(tolerance);
};

describe("jacobian", () => {
  const a = random(1, [4, 3]);
  const f = (x: Tensor): Tensor => a.matmul(x).sin();
  const x = random(2, [3]);
  const expected = a.mul(a.matmul(x).cos().unsqueeze(1));

  it("is the closed form's, by rows, by columns and by itself, eagerly and compiled", () => {
    for (const mode of ["forward", "reverse", undefined] as const) {
      const j = jacobian(f, mode && { mode });
      expectClose(j(x), expected);
      expectClose(compile(j)(x), expected);
    }
  });

  it("chooses by shape: a tall function by columns, a wide one by rows", () => {
    let outputs = 0;
    const count = (g: (y: Tensor) => Tensor) => (y: Tensor) => {
      outputs++;
      return g(y);
    };
    jacobian(count((y) => y.expand([100, 2]).sin()))(f64([1, 2]));
    const forward = outputs;
    outputs = 0;
    jacobian(count((y) => y.sin().sum()))(f64([1, 2]));
    // Forward linearises once more, within the map over tangents.
    expect([forward, outputs]).toEqual([2, 1]);
  });

  it("has the shapes of the result and the parameters, in trees of their types", () => {
    const p = { w: random(1, [2, 3]), b: [random(2, [2])] as const };
    const g = (q: typeof p, s: number) => ({ y: q.w.sum(1).mul(q.b[0]).mul(s), z: q.b[0].prod() });
    for (const mode of ["forward", "reverse"] as const) {
      const j = jacobian(g, { mode })(p, 2);
      expect([j.y.w.shape, j.y.b[0].shape, j.z.w.shape, j.z.b[0].shape]).toEqual([
        [2, 2, 3],
        [2, 2],
        [2, 3],
        [2],
      ]);
      const eye = f64([
        [1, 0],
        [0, 1],
      ]);
      expectClose(j.y.b[0], eye.mul(p.w.sum(1)).mul(2));
      expectClose(j.y.w, eye.unsqueeze(2).mul(p.b[0].unsqueeze(1)).mul(2).expand([2, 2, 3]));
      expectClose(j.z.b[0], p.b[0].flip(0));
    }
  });

  it("nests: of gradients, of itself, in a map, and is differentiated", () => {
    const g = (y: Tensor): Tensor => y.pow(3);
    expectClose(jacobian(jacobian(g))(x).sum([1, 2]), x.mul(6));
    const xs = random(3, [5, 3]);
    expectClose(
      vmap(jacobian(f))(xs),
      stack(Array.from({ length: 5 }, (_, i) => jacobian(f)(xs.slice([i, i + 1]).squeeze(0)))),
    );
    expectClose(
      grad((y: Tensor) => jacobian(g)(y).square().sum())(x),
      grad((y: Tensor) => y.square().mul(3).square().sum())(x),
    );
  });

  it("says what is wrong", () => {
    expect(() => jacobian((y: Tensor) => y.argmax())(x)).toThrow(
      "jacobian: the result is i32, which has no derivative",
    );
    expect(() => jacobian((y: Tensor) => y)(tensor([1], { dtype: "i32" }))).toThrow(
      expect.objectContaining({ code: "not-differentiable" }),
    );
  });
});

describe("hessian", () => {
  it("is Rosenbrock's", () => {
    const rosenbrock = (p: { x: Tensor; y: Tensor }): Tensor =>
      p.y.sub(p.x.square()).square().mul(100).add(p.x.neg().add(1).square());
    const [x, y] = [-1.2, 1];
    const h = hessian(rosenbrock)({ x: f64([x]).sum(), y: f64([y]).sum() });
    expect(h.x.x.item()).toBeCloseTo(1200 * x * x - 400 * y + 2, 9);
    expect([h.x.y.item(), h.y.x.item(), h.y.y.item()]).toEqual([
      expect.closeTo(-400 * x, 9),
      expect.closeTo(-400 * x, 9),
      200,
    ]);
  });

  it("times a vector is hvp, eagerly and compiled", () => {
    const f = (x: Tensor): Tensor => x.softmax(0).mul(x.exp()).sum();
    const [x, v] = [random(1, [4]), random(2, [4])];
    expectClose(hessian(f)(x).matmul(v), hvp(f, x, v));
    expectClose(compile(hessian(f))(x), hessian(f)(x));
  });
});

describe("gaussNewtonVp", () => {
  const model = (w: { a: Tensor; b: Tensor }): Tensor => random(9, [5, 3]).matmul(w.a.tanh()).add(w.b).sin();
  const w = { a: random(1, [3, 2]), b: random(2, [2]) };
  const v = { a: random(3, [3, 2]), b: random(4, [2]) };
  const loss = (y: Tensor): Tensor => y.logsumexp(1).mean();

  it("is J^T H J v", () => {
    const j = jacobian(model)(w);
    const flat = (t: { a: Tensor; b: Tensor }, rows: number): Tensor =>
      t.a.engine.concat([t.a.reshape([rows, -1]), t.b.reshape([rows, -1])], 1);
    const matrix = flat(j, 10);
    const h = hessian(loss)(model(w)).reshape([10, 10]);
    const expected = matrix.transpose().matmul(h).matmul(matrix).matmul(flat(v, 1).squeeze(0));
    const product = (p: typeof w, u: typeof w) => gaussNewtonVp(model, loss, p, u);
    for (const run of [product, compile(product)]) expectClose(flat(run(w, v), 1).squeeze(0), expected);
  });

  it("refuses a vector of another structure", () => {
    expect(() => gaussNewtonVp(model, loss, w, { a: w.a } as typeof w)).toThrow(
      "gaussNewtonVp: the vector: the structure differs",
    );
  });
});

describe("fisherVp", () => {
  const x = random(9, [6, 3]);
  const w = random(1, [3, 4]);
  const v = random(2, [3, 4]);
  const model = (p: Tensor): Tensor => x.matmul(p).tanh().mul(3);

  it("is the Gauss-Newton matrix of the negative log-likelihood", () => {
    const losses = {
      categorical: (y: Tensor) => y.logsumexp(1).mean(),
      bernoulli: (y: Tensor) => y.softplus().sum().div(6),
      normal: (y: Tensor) => y.square().sum().div(12),
    };
    for (const [name, loss] of Object.entries(losses)) {
      const likelihood = name as keyof typeof losses;
      expectClose(fisherVp(model, likelihood, w, v), gaussNewtonVp(model, loss, w, v));
    }
  });

  it("is the expected outer product of the log-likelihood's gradients over the model's own targets", () => {
    const perClass = (c: number) => (p: Tensor) =>
      model(p)
        .logSoftmax(1)
        .slice(null, [c, c + 1])
        .squeeze(1);
    const probabilities = model(w).softmax(1);
    let expected = w.zerosLike();
    for (let c = 0; c < 4; c++) {
      const j = jacobian(perClass(c))(w).reshape([6, 12]);
      const weighted = j
        .mul(j.matmul(v.reshape([12])).unsqueeze(1))
        .mul(probabilities.slice(null, [c, c + 1]));
      expected = expected.add(weighted.sum(0).reshape([3, 4]).div(6));
    }
    expectClose(fisherVp(model, "categorical", w, v), expected);
  });

  it("refuses other likelihoods", () => {
    expect(() => fisherVp(model, "poisson" as "normal", w, v)).toThrow("fisherVp: the likelihood must be");
  });
});

it("stopGradient keeps the type of a tree and its values", () => {
  const p = { a: f64([2]), b: [f64([3])] as const, n: 1 };
  const g = grad((q: typeof p) => {
    const { a, b, n } = stopGradient(q);
    return q.a.mul(b[0]).mul(a).mul(n).sum();
  })(p);
  expect([g.a.toArray(), g.b[0].toArray()]).toEqual([[6], [0]]);
});

it("jacobian, hessian and products are scopes", () => {
  for (const collected of [true, false]) {
    const device = interpreter({ collected });
    setDefaultDevice(device);
    const x = tensor([1, 2, 3]);
    const f = (y: Tensor): Tensor => y.exp().mul(y);
    const loss = (y: Tensor): Tensor => f(y).sum();
    const results = [
      jacobian(f, { mode: "reverse" })(x),
      jacobian(f, { mode: "forward" })(x),
      hessian(loss)(x),
      gaussNewtonVp(f, (y) => y.square().sum(), x, x),
      fisherVp(f, "bernoulli", x, x),
    ];
    expect(device.memory().buffers).toBe(1 + results.length);
    for (const t of [x, ...results]) t.dispose();
    setDefaultDevice(undefined);
  }
});
