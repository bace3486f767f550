import { type Rule, type RuleState, type Tensor, tensorsOf } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adam, applyUpdates, ema, frozen, lookahead, reduceOnPlateau, sgd } from "./index.js";

interface Params {
  readonly w: Tensor;
}
const f64 = (...values: number[]) => tensor(values, { dtype: "f64" });
const gradients = [1, -2, 0.5, 3, 1, -1];

const stepOf = (rule: Rule) => (params: Params, state: RuleState<Params>, grads: Params) => {
  const next = rule.update(grads, state, { params });
  return { params: applyUpdates(params, next.updates), state: next.state };
};

/** Parameters, and those to evaluate with, after each gradient. */
function run(rule: Rule, step = stepOf(rule)): { params: number[]; evaluated: number[] } {
  let params: Params = { w: f64(1) };
  let state = rule.init(params);
  const seen = gradients.map((g) => {
    ({ params, state } = step(params, state, { w: f64(g) }));
    return [params.w.item(), (rule.evalParams?.(params, state) ?? params).w.item()] as const;
  });
  return { params: seen.map(([p]) => p), evaluated: seen.map(([, e]) => e) };
}

const closeTo = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 13));
const base = run(sgd({ lr: 0.1 })).params;

describe.each<[string, Rule]>([
  ["ema(adam)", ema(adam({ lr: 0.1 }), { decay: 0.5 })],
  ["lookahead(adam)", lookahead(adam({ lr: 0.1 }), { every: 2 })],
  ["reduceOnPlateau(adam)", reduceOnPlateau(adam({ lr: 0.1 }))],
])("%s", (name, rule) => {
  it("says what it wraps, and passes its hyper-parameters on", () => {
    expect(rule.name).toBe(name);
    expect(rule.hyper?.(rule.init({ w: f64(1) }))).toMatchObject({ lr: 0.1, beta1: 0.9 });
  });

  it("does the same compiled, where parameters and state are given away", () => {
    const compiled = run(rule, compile(stepOf(rule), { donate: [0, 1] }));
    expect(compiled.params).toEqual(closeTo(run(rule).params));
  });

  it("shares no tensor between parameters and state", () => {
    const params = { w: f64(1) };
    expect(tensorsOf(rule.init(params))).not.toContain(params.w);
  });

  it("refuses another rule's state", () => {
    const params = { w: f64(1) };
    const update = () => rule.update(params, frozen().init(params), { params });
    expect(update).toThrow(expect.objectContaining({ code: "tree-mismatch" }));
  });
});

describe("ema", () => {
  it("averages what sgd goes through, and does not change it", () => {
    const { params, evaluated } = run(ema(sgd({ lr: 0.1 }), { decay: 0.75 }));
    expect(params).toEqual(base);
    let average = base[0] as number;
    const want = base.map((p) => {
      average = 0.75 * average + 0.25 * p;
      return average;
    });
    expect(evaluated).toEqual(closeTo(want));
  });

  it("is the mean with the decay of one", () => {
    const { evaluated } = run(ema(sgd({ lr: 0.1 }), { decay: (t) => t / (t + 1) }));
    const means = base.map((_, i) => base.slice(0, i + 1).reduce((a, b) => a + b) / (i + 1));
    expect(evaluated).toEqual(closeTo(means));
  });

  it("evaluates with the parameters before the first update", () => {
    const [rule, params] = [ema(sgd({ lr: 0.1 })), { w: f64(3) }];
    expect(rule.evalParams?.(params, rule.init(params)).w.item()).toBe(3);
  });

  it("refuses a decay of one", () => {
    const call = () => ema(sgd({ lr: 1 }), { decay: 1 });
    expect(call).toThrow("ema: decay must be in [0, 1), got 1");
  });
});

describe("lookahead", () => {
  it("returns part of the way at every third update", () => {
    let [fast, slow] = [1, 1];
    const want = gradients.map((g, i) => {
      fast -= 0.1 * g;
      if ((i + 1) % 3 === 0) {
        slow += 0.25 * (fast - slow);
        fast = slow;
      }
      return [fast, slow] as const;
    });
    const { params, evaluated } = run(lookahead(sgd({ lr: 0.1 }), { every: 3, alpha: 0.25 }));
    expect(params).toEqual(closeTo(want.map(([p]) => p)));
    expect(evaluated).toEqual(closeTo(want.map(([, p]) => p)));
  });

  it("refuses what it cannot count", () => {
    expect(() => lookahead(sgd({ lr: 1 }), { every: 0 })).toThrow("lookahead: every must be a whole number");
    expect(() => lookahead(sgd({ lr: 1 }), { alpha: -1 })).toThrow("lookahead: alpha must be a number");
  });
});

describe("reduceOnPlateau", () => {
  const scales = (rule: Rule, metrics: readonly number[]): number[] => {
    let state = rule.init({ w: f64(1) });
    return metrics.map((metric) => {
      state = rule.observe?.(state, metric) ?? state;
      return rule.hyper?.(state).scale as number;
    });
  };

  it("reduces after more than `patience` metrics that are no better", () => {
    const rule = reduceOnPlateau(sgd({ lr: 0.1 }), { factor: 0.5, patience: 1 });
    expect(scales(rule, [3, 2, 2, 2, 2, 2, 1, 1])).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]);
  });

  it("takes a metric that rises, a cooldown and a least scale", () => {
    const rising = reduceOnPlateau(sgd({ lr: 1 }), { factor: 0.5, patience: 0, mode: "max" });
    expect(scales(rising, [1, 2, 2, 3, 1])).toEqual([1, 1, 0.5, 0.5, 0.25]);
    const cooling = reduceOnPlateau(sgd({ lr: 1 }), { factor: 0.5, patience: 0, cooldown: 2, minScale: 0.4 });
    expect(scales(cooling, [1, 1, 1, 1, 1, 1])).toEqual([1, 0.5, 0.5, 0.5, 0.4, 0.4]);
  });

  it("asks for an improvement of the threshold, relative or absolute", () => {
    const options = { factor: 0.5, patience: 0, threshold: 0.5 } as const;
    expect(scales(reduceOnPlateau(sgd({ lr: 1 }), options), [4, 2.5, 1.5])).toEqual([1, 0.5, 0.5]);
    const absolute = reduceOnPlateau(sgd({ lr: 1 }), { ...options, thresholdMode: "absolute" });
    expect(scales(absolute, [4, 3.6, 3.4])).toEqual([1, 0.5, 0.5]);
  });

  it("counts NaN as no better", () => {
    const rule = reduceOnPlateau(sgd({ lr: 1 }), { factor: 0.5, patience: 0 });
    expect(scales(rule, [1, Number.NaN, 0.5])).toEqual([1, 0.5, 0.5]);
  });

  it("scales steps, without compiling again", () => {
    const rule = reduceOnPlateau(sgd({ lr: 1 }), { factor: 0.5, patience: 0 });
    let recorded = 0;
    const step = compile((params: Params, state: RuleState<Params>) => {
      recorded++;
      return rule.update({ w: params.w.onesLike() }, state, { params });
    });
    const params = { w: f64(1) };
    let state = rule.init(params);
    for (const [want, metric] of [
      [-1, 3],
      [-1, 3],
      [-0.5, 3],
      [-0.25, 1],
    ] as const) {
      const next = step(params, state);
      expect(next.updates.w.item()).toBe(want);
      state = rule.observe?.(next.state, metric) ?? next.state;
    }
    expect(recorded).toBe(1);
  });

  it.each([
    [{ factor: 1 }, "factor must be in [0, 1), got 1"],
    [{ mode: "best" as "min" }, "mode must be min or max, got best"],
    [{ thresholdMode: "rel" as "relative" }, "thresholdMode must be relative or absolute, got rel"],
    [{ patience: -1 }, "patience must be a whole number of at least 0"],
    [{ cooldown: 0.5 }, "cooldown must be a whole number of at least 0"],
    [{ minScale: -1 }, "minScale must be a number of at least 0"],
  ])("refuses %o", (options, message) => {
    const call = () => reduceOnPlateau(sgd({ lr: 1 }), options);
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(`reduceOnPlateau: ${message}`);
  });
});
