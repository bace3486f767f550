import { type RuleState, scalar, type Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type AdamOptions, adam, adamw, applyUpdates } from "./index.js";

const f64 = (values: number[]) => tensor(values, { dtype: "f64" });

interface Params {
  readonly w: Tensor;
}

/** PyTorch's loop for one number, in plain code and PyTorch's order. */
function reference(
  options: AdamOptions & { lr: number; weightDecay?: number; beta1?: number; decoupled: boolean },
  start: number,
  gradients: number[],
) {
  const {
    lr,
    beta1 = 0.9,
    beta2 = 0.999,
    eps = 1e-8,
    weightDecay = 0,
    amsgrad,
    maximize,
    decoupled,
  } = options;
  let [p, m, v, greatest] = [start, 0, 0, 0];
  return gradients.map((raw, i) => {
    const t = i + 1;
    let g = maximize ? -raw : raw;
    if (decoupled) p *= 1 - lr * weightDecay;
    else g += weightDecay * p;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    greatest = Math.max(greatest, v);
    const denominator = Math.sqrt(amsgrad ? greatest : v) / Math.sqrt(1 - beta2 ** t) + eps;
    p -= ((lr / (1 - beta1 ** t)) * m) / denominator;
    return p;
  });
}

const gradients = [0.5, -1, 2, 0.25, -0.75, 1e-4];

describe.each([
  ["adam", adam, false],
  ["adamw", adamw, true],
] as const)("%s", (name, make, decoupled) => {
  const cases: (AdamOptions & { lr: number; weightDecay?: number; beta1?: number })[] = [
    { lr: 0.1 },
    { lr: 0.01, beta1: 0.8, beta2: 0.9 },
    { lr: 0.05, amsgrad: true, beta2: 0.5 },
    { lr: 0.05, eps: 0.1 },
    { lr: 0.05, weightDecay: 0.1, maximize: true },
  ];
  it.each(cases)("takes PyTorch's steps with %o, eager and compiled", (options) => {
    const weightDecay = options.weightDecay ?? (decoupled ? 0.01 : 0);
    const want = reference({ ...options, weightDecay, decoupled }, 1.5, gradients);
    const rule = make(options);
    const step = (params: Params, state: RuleState<Params>, grads: Params) => {
      const next = rule.update(grads, state, { params });
      return { params: applyUpdates(params, next.updates), state: next.state };
    };
    for (const run of [step, compile(step, { donate: [0, 1] })]) {
      let params: Params = { w: f64([1.5]) };
      let state = rule.init(params);
      gradients.forEach((g, i) => {
        ({ params, state } = run(params, state, { w: f64([g]) }));
        expect(params.w.item()).toBeCloseTo(want[i] as number, 13);
      });
      expect(state.step.value).toBe(gradients.length);
    }
  });

  it("does not move where all gradients were zero", () => {
    const rule = make({ lr: 0.1, weightDecay: 0 });
    const params = { w: f64([1, 2]) };
    const { updates } = rule.update({ w: f64([0, 0]) }, rule.init(params), { params });
    expect(Array.from(updates.w.data(), Math.abs)).toEqual([0, 0]);
  });

  it("keeps two moments, and a third with amsgrad", () => {
    const params = { w: f64([1]) };
    expect(Object.keys(make().init(params).slots)).toEqual(["firstMoment", "secondMoment"]);
    const { slots } = make({ amsgrad: true }).init(params);
    expect(Object.keys(slots)).toEqual(["firstMoment", "secondMoment", "maxSecondMoment"]);
  });

  it("has PyTorch's defaults", () => {
    const rule = make();
    const hyper = rule.hyper?.({ step: scalar(0), slots: {} });
    expect(rule.name).toBe(name);
    expect(hyper).toEqual({
      lr: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      weightDecay: decoupled ? 0.01 : 0,
    });
  });

  const refused: [AdamOptions, string][] = [
    [{ lr: -0.1 }, "lr must be a number of at least 0, got -0.1"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ beta2: 1.5 }, "beta2 must be in [0, 1), got 1.5"],
    [{ beta2: Number.NaN }, "beta2 must be in [0, 1), got NaN"],
    [{ eps: -1e-8 }, "eps must be a number of at least 0"],
    [{ weightDecay: -0.1 }, "weightDecay must be a number of at least 0"],
  ];
  it.each(refused)("refuses %o", (options, message) => {
    expect(() => make(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => make(options)).toThrow(`${name}: ${message}`);
  });
});
