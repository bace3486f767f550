import type { Rule, RuleContext } from "@gradus/core";
import { compile, key, tensor, zeros } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import {
  accumulate,
  adam,
  adamw,
  applyUpdates,
  centralize,
  chain,
  clipByBlock,
  clipByValue,
  ema,
  gradientNoise,
  reduceOnPlateau,
  sam,
  sgd,
  sophia,
  swa,
  transform,
} from "./index.js";
import { each, type Matrix, matrix, near, type Rows, runMatrix } from "./run-rule.fixture.js";

const f64 = (rows: Rows | number[]) => tensor(rows, { dtype: "f64" });
const start = [[0.5, -1, 2]];
const gradients = [[[1, -2, 0.5]], [[-0.5, 1, 2]], [[0, 0.1, -0.2]], [[3, 1, 1]], [[1, 1, -1]], [[2, 0, 1]]];
const close = (rows: readonly Rows[]) => near(rows, (x) => expect.closeTo(x, 12));

describe("chain", () => {
  const double = transform("double", (grads) => applyUpdates(grads, grads));

  it("gives each rule the updates of the one before", () => {
    const doubled = gradients.map((g) => each(g, (x) => 2 * x));
    const want = runMatrix(adam({ lr: 0.1 }), start, doubled).params;
    expect(runMatrix(chain(double, adam({ lr: 0.1 })), start, gradients).params).toEqual(want);
    const { params } = runMatrix(chain(double, sgd({ lr: 0.1 }), double), start, gradients);
    expect(params).toEqual(close(runMatrix(sgd({ lr: 0.4 }), start, gradients).params));
  });

  it("passes on what its rules offer", () => {
    const rule = chain(double, reduceOnPlateau(ema(adam({ lr: 0.1 }))));
    expect(rule.name).toBe("chain(double, reduceOnPlateau(ema(adam)))");
    const params = matrix(start);
    let state = rule.init(params);
    expect(rule.hyper?.(state)).toMatchObject({ lr: 0.1, scale: 1 });
    for (let i = 0; i < 12; i++) state = rule.observe?.(state, 1) ?? state;
    expect(rule.hyper?.(state).scale).toBe(0.1);
    expect(rule.evalParams?.(matrix([[7]]), state).w.toArray()).toEqual(start);
    expect(rule.variant).toBe(undefined);
    expect(chain(double, sophia()).variant?.(chain(double, sophia()).init(params))).toBe('{"1":"curvature"}');
  });

  it("refuses no rule, an empty tree, and another chain's state", () => {
    expect(() => chain()).toThrow("chain: there is no rule in it");
    expect(() => chain(sgd({ lr: 1 })).init({})).toThrow("the parameter tree is empty");
    const params = matrix(start);
    const state = chain(sgd({ lr: 1 }), sgd({ lr: 1 })).init(params);
    const update = () => chain(sgd({ lr: 1 })).update(params, state, { params });
    expect(update).toThrow("chain(sgd): the state at (root) is that of chain(sgd, sgd)");
    const told = () =>
      chain(sophia()).update(params, chain(sophia()).init(params), { params, variant: "step" });
    expect(told).toThrow("Ask its variant(state)");
  });
});

describe("centralize", () => {
  it("takes the mean over all axes but the first off, of two or more", () => {
    const conv = tensor(
      [
        [
          [
            [1, 2],
            [3, 6],
          ],
        ],
        [
          [
            [0, 0],
            [0, 4],
          ],
        ],
      ],
      { dtype: "f64" },
    );
    const centred = centralize({ conv, bias: f64([1, 2]) });
    expect(centred.conv.toArray()).toEqual([
      [
        [
          [-2, -1],
          [0, 3],
        ],
      ],
      [
        [
          [-1, -1],
          [-1, 3],
        ],
      ],
    ]);
    expect(centred.bias.toArray()).toEqual([1, 2]);
  });
});

describe("clipByBlock", () => {
  it("bounds the norm of each row by a share of the parameter's", () => {
    const params = {
      w: f64([
        [3, 4],
        [0.6, 0.8],
        [0, 0],
      ]),
    };
    const grads = {
      w: f64([
        [0.3, 0.4],
        [30, 40],
        [3, 4],
      ]),
    };
    const clipped = clipByBlock(grads, params, { clip: 0.5, eps: 0.01 });
    expect(clipped.w.toArray()).toEqual(
      [
        [0.3, 0.4],
        [0.3, 0.4],
        [0.003, 0.004],
      ].map((row) => row.map((x) => expect.closeTo(x, 14))),
    );
  });

  it("takes vectors and numbers as one block", () => {
    const params = { b: f64([3, 4]), s: tensor(2, { dtype: "f64" }) };
    const grads = { b: f64([30, 40]), s: tensor(-8, { dtype: "f64" }) };
    const clipped = clipByBlock(grads, params, { clip: 1 });
    expect(clipped.b.toArray()).toEqual([expect.closeTo(3, 14), expect.closeTo(4, 14)]);
    expect(clipped.s.item()).toBe(-2);
  });

  it("refuses other trees, naming the path, and negative numbers", () => {
    expect(() => clipByBlock({ w: zeros([2]) }, { w: zeros([3]) })).toThrow(
      "clipByBlock: the gradients: w has shape [2], its parameter [3]",
    );
    expect(() => clipByBlock(matrix(start), matrix(start), { clip: -1 })).toThrow("clip must be a number");
  });
});

describe("gradientNoise", () => {
  it("adds noise of variance eta / (1 + t)^gamma", () => {
    const params = { w: zeros([4000], { dtype: "f64" }) };
    const rule = gradientNoise({ eta: 4, gamma: 1 });
    let state = rule.init(params);
    for (let t = 0; t < 3; t++) {
      const next = rule.update(params, state, { params, key: key(t) });
      state = next.state;
      expect(next.updates.w.std().item() / (2 / Math.sqrt(1 + t))).toBeCloseTo(1, 1);
      expect(Math.abs(next.updates.w.mean().item())).toBeLessThan(0.1);
    }
  });

  it("says that there is no key", () => {
    const rule = gradientNoise();
    const params = matrix(start);
    expect(() => rule.update(params, rule.init(params), { params })).toThrow("the context has no key");
    expect(() => gradientNoise({ eta: -1 })).toThrow("gradientNoise: eta must be a number of at least 0");
  });
});

describe("accumulate", () => {
  const mean = (a: Rows, b: Rows): Rows => each(a, (x, y) => (x + y) / 2, b);
  const halves = [0, 2, 4].map((i) => mean(gradients[i] as Rows, gradients[i + 1] as Rows));

  it.each<[string, (lr: number) => Rule]>([
    ["sgd with momentum", (lr) => sgd({ lr, momentum: 0.9 })],
    ["adam", (lr) => adam({ lr: (t) => lr / (1 + t) })],
    ["ema(adamw)", (lr) => ema(adamw({ lr }), { decay: 0.5 })],
  ])("makes one update of %s of the mean of two gradients, eager and compiled", (_, make) => {
    const want = runMatrix(make(0.1), start, halves);
    for (const how of [{}, { compiled: true }, { compiled: true, told: true }]) {
      const got = runMatrix(accumulate(make(0.1), { every: 2 }), start, gradients, how);
      expect(got.params.filter((_, i) => i % 2 === 1)).toEqual(close(want.params));
      expect(got.params[2]).toEqual(got.params[1]);
      expect(got.evaluated[5]).toEqual((close(want.evaluated) as unknown[])[2]);
      expect(got.state.step.value).toBe(6);
      expect(got.state.inner?.rule?.step.value).toBe(3);
    }
  });

  it("is the rule itself at every 1", () => {
    const { params } = runMatrix(accumulate(adam(), { every: 1 }), start, gradients);
    expect(params).toEqual(runMatrix(adam(), start, gradients).params);
  });

  it("names its steps, with those of the rule", () => {
    const rule = accumulate(sophia({ every: 2 }), { every: 2 });
    const params = matrix(start);
    const context = { params, key: key(0), hvp: (v: Matrix) => v };
    let state = rule.init(params);
    const names = gradients.map((g) => {
      const name = rule.variant?.(state);
      state = rule.update(matrix(g), state, context).state;
      return name;
    });
    const [collect, renew, step] = [
      '{"kind":"collect"}',
      '{"kind":"update","rule":"curvature"}',
      '{"kind":"update","rule":"step"}',
    ];
    expect(names).toEqual([collect, renew, collect, step, collect, renew]);
  });

  it("refuses what it cannot count", () => {
    expect(() => accumulate(sgd({ lr: 1 }), { every: 0 })).toThrow(
      "every must be a whole number of at least 1",
    );
  });
});

describe("sam", () => {
  /** Of `(w0^4 + w1^2 + w2^2) / 4`. */
  const gradOf = (p: Matrix): Matrix => ({
    w: p.w.mul(f64([[0, 0.5, 0.5]])).add(p.w.pow(3).mul(f64([[1, 0, 0]]))),
  });
  const context: Partial<RuleContext<Matrix>> = { valueAndGrad: (p) => [p.w.sum(), gradOf(p)] };
  const g = gradOf(matrix(start)).w.toArray() as Rows;

  it.each([true, false])("is the rule itself at rho 0 (adaptive: %s)", (adaptive) => {
    const got = runMatrix(sam(sgd({ lr: 0.1 }), { rho: 0, adaptive }), start, [g], { context });
    expect(got.params).toEqual(runMatrix(sgd({ lr: 0.1 }), start, [g]).params);
  });

  it.each([true, false])("takes the gradient at the worst point near by (adaptive: %s)", (adaptive) => {
    const sized = each(g, (x, p) => (adaptive ? x * Math.abs(p) : x), start);
    const norm = Math.hypot(...sized.flat());
    const away = each(start, (p, x) => p + (0.3 * (adaptive ? p * p : 1) * x) / norm, g);
    const there = gradOf(matrix(away)).w.toArray() as Rows;
    const want = runMatrix(sgd({ lr: 0.1 }), start, [there]).params;
    for (const compiled of [false, true]) {
      const rule = sam(sgd({ lr: 0.1 }), { rho: 0.3, adaptive });
      expect(runMatrix(rule, start, [g], { context, compiled }).params).toEqual(close(want));
    }
  });

  it("says what the context lacks, and refuses a negative rho", () => {
    expect(() => runMatrix(sam(sgd({ lr: 1 })), start, [g])).toThrow(
      "sam(sgd): the context has no valueAndGrad. Pass valueAndGrad: (params) => [loss, grads] to update()",
    );
    expect(() => sam(sgd({ lr: 1 }), { rho: -1 })).toThrow("sam: rho must be a number of at least 0, got -1");
  });
});

describe("swa", () => {
  const { params } = runMatrix(sgd({ lr: 0.1 }), start, gradients);
  const meanOf = (...some: number[]): Rows =>
    each(
      some.map((i) => params[i] as Rows).reduce((a, b) => each(a, (x, y) => x + y, b)),
      (x) => x / some.length,
    );

  it.each([false, true])("averages every second parameters from the third on (compiled: %s)", (compiled) => {
    const { evaluated } = runMatrix(swa(sgd({ lr: 0.1 }), { from: 2, every: 2 }), start, gradients, {
      compiled,
    });
    // After 1, 2, 3, ... updates; those of index 1, 3 and 5 count.
    expect(evaluated).toEqual(
      close([meanOf(0), meanOf(1), meanOf(1), meanOf(1, 3), meanOf(1, 3), meanOf(1, 3, 5)]),
    );
  });

  it("counts the first parameters of all, from 0", () => {
    const { evaluated } = runMatrix(swa(sgd({ lr: 0.1 }), { from: 0 }), start, gradients.slice(0, 2));
    const sum = [start, params[0] as Rows, params[1] as Rows].reduce((a, b) => each(a, (x, y) => x + y, b));
    expect(evaluated[1]).toEqual((close([each(sum, (x) => x / 3)]) as unknown[])[0]);
  });

  it("refuses what it cannot count", () => {
    expect(() => swa(sgd({ lr: 1 }), { from: -1 })).toThrow("swa: from must be a whole number of at least 0");
    expect(() => swa(sgd({ lr: 1 }), { from: 1, every: 0 })).toThrow("swa: every must be a whole number");
  });
});

describe("weight decay as a function", () => {
  const params = { layer: { weight: f64([[1, 2]]), bias: f64([3]) } };
  const nothing = { layer: { weight: f64([[0, 0]]), bias: f64([0]) } };

  it("leaves out what it gives 0 for: a mask", () => {
    const rule = adamw({ lr: 0.1, weightDecay: (_, p) => (p.ndim > 1 ? 0.5 : 0) });
    const step = compile((p: typeof params) => rule.update(nothing, rule.init(p), { params: p }).updates);
    for (const updates of [step(params), rule.update(nothing, rule.init(params), { params }).updates]) {
      expect(updates.layer.weight.toArray()).toEqual([[expect.closeTo(-0.05, 15), expect.closeTo(-0.1, 15)]]);
      expect(updates.layer.bias.item()).toBeCloseTo(0, 15);
    }
    expect(rule.hyper?.(rule.init(params)).weightDecay).toBe(undefined);
  });

  it("is told the path, and an error names it", () => {
    const rule = sgd({ lr: 1, weightDecay: ([, name]) => (name === "bias" ? -1 : 1) });
    const update = () => rule.update(nothing, rule.init(params), { params });
    expect(update).toThrow(
      "sgd: weightDecay must give a number of at least 0, got -1 for parameter layer.bias",
    );
  });
});

describe("transform", () => {
  it("checks what it is given", () => {
    const rule = transform("clip", (grads) => clipByValue(grads, 1));
    const params = matrix(start);
    const update = () => rule.update({ w: zeros([2], { dtype: "f64" }) }, rule.init(params), { params });
    expect(update).toThrow("clip: the gradients: w has shape [2], its parameter [1, 3]");
    expect(() => rule.init([])).toThrow("clip: the parameter tree is empty");
  });
});
