import { type RuleState, scalar, type Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { applyUpdates, type SgdOptions, sgd } from "./index.js";

const f64 = (values: number[]) => tensor(values, { dtype: "f64" });

interface Params {
  readonly w: Tensor;
}

/** PyTorch's loop for one number, in plain code. */
function reference(
  options: SgdOptions & { lr: number; momentum?: number; weightDecay?: number },
  start: number,
  gradients: readonly number[],
): number[] {
  const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, maximize = false } = options;
  let p = start;
  let v: number | undefined;
  return gradients.map((raw) => {
    let g = (maximize ? -raw : raw) + weightDecay * p;
    if (momentum !== 0) {
      v = v === undefined ? g : momentum * v + (1 - dampening) * g;
      g = nesterov ? g + momentum * v : v;
    }
    p -= lr * g;
    return p;
  });
}

const gradients = [0.5, -1, 2, 0.25, -0.75];

describe("sgd", () => {
  const cases: (SgdOptions & { lr: number; momentum?: number; weightDecay?: number })[] = [
    { lr: 0.1 },
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9, nesterov: true },
    { lr: 0.1, momentum: 0.9, dampening: 0.5 },
    { lr: 0.1, weightDecay: 0.1 },
    { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.1, maximize: true },
  ];
  it.each(cases)("takes PyTorch's steps with %o, eager and compiled", (options) => {
    const want = reference(options, 1.5, gradients);
    const rule = sgd(options);
    const step = (params: Params, state: RuleState<Params>, grads: Params) => {
      const next = rule.update(grads, state, { params });
      return { params: applyUpdates(params, next.updates), state: next.state };
    };
    for (const run of [step, compile(step)]) {
      let params: Params = { w: f64([1.5]) };
      let state = rule.init(params);
      gradients.forEach((g, i) => {
        ({ params, state } = run(params, state, { w: f64([g]) }));
        expect(params.w.item()).toBeCloseTo(want[i] as number, 14);
        expect(state.step.value).toBe(i + 1);
      });
    }
  });

  it("follows a schedule of the learning rate without compiling again", () => {
    const rule = sgd({ lr: (step) => 1 / (step + 1) });
    let recorded = 0;
    const step = compile((params: Params, state: RuleState<Params>) => {
      recorded++;
      const next = rule.update({ w: params.w.onesLike() }, state, { params });
      return { params: applyUpdates(params, next.updates), state: next.state };
    });
    let params: Params = { w: f64([0]) };
    let state = rule.init(params);
    for (const want of [-1, -1.5, -1.5 - 1 / 3]) {
      ({ params, state } = step(params, state));
      expect(params.w.item()).toBeCloseTo(want, 14);
    }
    expect(recorded).toBe(1);
  });

  it("keeps no velocity without momentum, and reports its hyper-parameters", () => {
    const params = { w: f64([1]) };
    expect(sgd({ lr: 1 }).init(params).slots).toEqual({});
    const rule = sgd({ lr: (step) => 0.1 * step, momentum: 0.5 });
    expect(Object.keys(rule.init(params).slots)).toEqual(["velocity"]);
    const state = { ...rule.init(params), step: scalar(3) };
    expect(rule.hyper?.(state)).toMatchObject({ lr: expect.closeTo(0.3), momentum: 0.5, weightDecay: 0 });
  });

  it("keeps the types of trees", () => {
    const rule = sgd({ lr: 0.1 });
    const params = { layers: [{ weight: f64([1]) }] as const, head: f64([2]) };
    const { updates, state } = rule.update(params, rule.init(params), { params });
    expectTypeOf(updates).toEqualTypeOf<typeof params>();
    expectTypeOf(state).toEqualTypeOf<RuleState<typeof params>>();
    expectTypeOf(applyUpdates(params, updates)).toEqualTypeOf<typeof params>();
  });

  const refused: [Partial<SgdOptions>, string][] = [
    [{}, "sgd: lr is missing"],
    [{ lr: -0.1 }, "sgd: lr must be a number of at least 0, got -0.1"],
    [{ lr: Number.NaN }, "sgd: lr must be a number of at least 0, got NaN"],
    [{ lr: 0.1, momentum: -0.5 }, "sgd: momentum must be a number of at least 0"],
    [{ lr: 0.1, weightDecay: -0.1 }, "sgd: weightDecay must be a number of at least 0"],
    [{ lr: 0.1, nesterov: true }, "sgd: nesterov needs a momentum"],
    [{ lr: 0.1, nesterov: true, momentum: 0.9, dampening: 0.1 }, "and a dampening of 0"],
    [{ lr: 0.1, momentum: 0.9, dampening: Number.NaN }, "dampening must be a finite number"],
  ];
  it.each(refused)("refuses %o", (options, message) => {
    const call = () => sgd(options as SgdOptions);
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(message);
  });

  it("accepts a learning rate of 0", () => {
    const params = { w: f64([1]) };
    const rule = sgd({ lr: 0 });
    expect(Math.abs(rule.update(params, rule.init(params), { params }).updates.w.item())).toBe(0);
  });
});
