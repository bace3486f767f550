import { type RuleState, scalar, type Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import {
  adam,
  applyUpdates,
  type CyclicOptions,
  cyclic,
  type OneCycleOptions,
  oneCycle,
  sgd,
} from "./index.js";

const closeTo = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));
const first = (schedule: (step: number) => number, count: number) =>
  Array.from({ length: count }, (_, step) => schedule(step));

describe("oneCycle", () => {
  it("rises to the top and falls to the end, the momentum against it", () => {
    const { lr, momentum } = oneCycle({
      maxLr: 1,
      steps: 10,
      rise: 0.3,
      divide: 5,
      finalDivide: 2,
      along: "line",
    });
    expect(first(lr, 3)).toEqual(closeTo([0.2, 0.6, 1]));
    expect(lr(9)).toBeCloseTo(0.1, 14);
    expect(lr(10)).toBe(lr(9));
    expect(first(momentum, 3)).toEqual(closeTo([0.95, 0.9, 0.85]));
    expect(momentum(9)).toBeCloseTo(0.95, 14);
  });

  it("moves along half a cosine", () => {
    const { lr } = oneCycle({ maxLr: 1, steps: 10, rise: 0.3, divide: 5 });
    expect(lr(1)).toBeCloseTo(0.6, 14);
    const quarter = oneCycle({ maxLr: 1, steps: 10, rise: 0.5, divide: 5 }).lr(1);
    expect(quarter).toBeCloseTo(0.2 + 0.8 * ((1 - Math.SQRT1_2) / 2), 14);
  });

  it("has a third phase if wanted", () => {
    const { lr, momentum } = oneCycle({
      maxLr: 1,
      steps: 10,
      rise: 0.3,
      divide: 5,
      finalDivide: 2,
      along: "line",
      threePhase: true,
    });
    expect(first(lr, 5)).toEqual(closeTo([0.2, 0.6, 1, 0.6, 0.2]));
    expect(lr(9)).toBeCloseTo(0.1, 14);
    expect(momentum(7)).toBeCloseTo(0.95, 14);
  });

  it("begins at the top where there is no time to rise", () => {
    expect(oneCycle({ maxLr: 1, steps: 10, rise: 0.1, along: "line" }).lr(0)).toBe(1);
    expect(Number.isFinite(oneCycle({ maxLr: 1, steps: 10, rise: 0 }).lr(0))).toBe(true);
  });

  it("refuses steps past the end", () => {
    expect(() => oneCycle({ maxLr: 1, steps: 2 }).lr(3)).toThrow("oneCycle: step 3 is past the end");
  });

  it.each<[Partial<OneCycleOptions>, string]>([
    [{ steps: 1 }, "steps must be a whole number of at least 2"],
    [{ rise: 1.5 }, "rise must be in [0, 1], got 1.5"],
    [{ maxLr: -1 }, "maxLr must be a number of at least 0"],
    [{ along: "spiral" as "line" }, "along must be cosine or line, got spiral"],
  ])("refuses %o", (options, message) => {
    const call = () => oneCycle({ maxLr: 1, steps: 10, ...options });
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(message);
  });
});

describe("cyclic", () => {
  it("goes up and down, the momentum against it", () => {
    const { lr, momentum } = cyclic({ baseLr: 1, maxLr: 3, up: 2 });
    expect(first(lr, 9)).toEqual(closeTo([1, 2, 3, 2, 1, 2, 3, 2, 1]));
    expect(first(momentum, 5)).toEqual(closeTo([0.9, 0.85, 0.8, 0.85, 0.9]));
  });

  it("halves each cycle, or falls exponentially", () => {
    const halved = cyclic({ baseLr: 1, maxLr: 3, up: 2, down: 1, mode: "triangular2" });
    expect(first(halved.lr, 7)).toEqual(closeTo([1, 2, 3, 1, 1.5, 2, 1]));
    const falling = cyclic({ baseLr: 0, maxLr: 1, up: 1, mode: "exponential", gamma: 0.5 });
    expect(first(falling.lr, 4)).toEqual(closeTo([0, 0.5, 0, 0.125]));
  });

  it.each<[Partial<CyclicOptions>, string]>([
    [{ up: 0 }, "up must be a whole number of at least 1"],
    [{ down: 1.5 }, "down must be a whole number of at least 1"],
    [{ baseLr: -1 }, "baseLr must be a number of at least 0"],
    [{ mode: "square" as "triangular" }, "mode must be triangular, triangular2 or exponential, got square"],
  ])("refuses %o", (options, message) => {
    const call = () => cyclic({ baseLr: 0.1, maxLr: 1, ...options });
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(message);
  });
});

describe("a momentum that is cycled", () => {
  interface Params {
    readonly w: Tensor;
  }
  const cycle = oneCycle({ maxLr: 0.1, steps: 6 });

  it.each([
    ["sgd", sgd({ lr: cycle.lr, momentum: cycle.momentum })],
    ["adam", adam({ lr: cycle.lr, beta1: cycle.momentum })],
  ])("drives %s, compiled once", (name, rule) => {
    let recorded = 0;
    const step = (params: Params, state: RuleState<Params>) => {
      recorded++;
      const next = rule.update({ w: params.w.mul(2) }, state, { params });
      return { params: applyUpdates(params, next.updates), state: next.state };
    };
    const ends = [step, compile(step)].map((run) => {
      let params: Params = { w: tensor([1], { dtype: "f64" }) };
      let state = rule.init(params);
      for (let i = 0; i < 5; i++) ({ params, state } = run(params, state));
      return params.w.item();
    });
    expect(recorded).toBe(6);
    expect(ends[1]).toBeCloseTo(ends[0] as number, 14);
    const hyper = rule.hyper?.({ step: scalar(2), slots: {} });
    expect(hyper?.[name === "sgd" ? "momentum" : "beta1"]).toBe(cycle.momentum(2));
  });

  it("joins sgd's velocity at each step's own value", () => {
    const rule = sgd({ lr: 1, momentum: (step) => 0.5 * step });
    let params = { w: tensor(0) };
    let state = rule.init(params);
    for (const want of [-1, -2.5, -5]) {
      const next = rule.update({ w: tensor(1) }, state, { params });
      params = applyUpdates(params, next.updates);
      state = next.state;
      expect(params.w.item()).toBe(want);
    }
  });
});
