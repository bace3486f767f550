import type { Rule, RuleState, Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adam, adamw, applyUpdates, ema, frozen, lookahead, partition, rprop, sgd } from "./index.js";

const rules: [string, Rule][] = [
  ["sgd", sgd({ lr: 0.1, momentum: 0.9 })],
  ["adam", adam()],
  ["adamw", adamw()],
  ["rprop", rprop()],
  ["ema", ema(adam())],
  ["lookahead", lookahead(adam())],
  ["partition", partition({ all: adam() }, () => "all")],
];
const params = { layer: { weight: tensor([[1, 2]]), bias: tensor([1]) } };

describe.each(rules)("%s", (_, rule) => {
  it("refuses an empty parameter tree", () => {
    expect(() => rule.init({})).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => rule.init([1])).toThrow("the parameter tree is empty");
  });

  it("refuses integer parameters, naming them", () => {
    const init = () => rule.init({ w: tensor([1]), ids: tensor([1], { dtype: "i32" }) });
    expect(init).toThrow(expect.objectContaining({ code: "dtype-mismatch" }));
    expect(init).toThrow("parameter ids is i32");
  });

  it("refuses gradients of another structure, naming the path", () => {
    const grads = { layer: { weight: tensor([[1, 2]]) } } as typeof params;
    const update = () => rule.update(grads, rule.init(params), { params });
    expect(update).toThrow(expect.objectContaining({ code: "tree-mismatch" }));
    expect(update).toThrow("layer.bias");
  });

  it("refuses gradients of another shape, naming the path", () => {
    const grads = { layer: { weight: tensor([1, 2]), bias: tensor([1]) } };
    const update = () => rule.update(grads, rule.init(params), { params });
    expect(update).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(update).toThrow("layer.weight has shape [2], its parameter [1, 2]");
  });

  it("refuses the state of another rule or of other parameters", () => {
    const foreign = frozen().init(params);
    expect(() => rule.update(params, foreign, { params })).toThrow(
      expect.objectContaining({ code: "tree-mismatch" }),
    );
    const other = rule.init({ layer: { weight: tensor([1]), bias: tensor([1]) } });
    expect(() => rule.update(params, other, { params })).toThrow("has shape [1], its parameter [1, 2]");
  });
});

describe("a state", () => {
  const none = sgd({ lr: 1 });
  it.each<[string, Rule, Rule, string]>([
    ["adam's for adamw", adam(), adamw(), "adamw: the state at (root) is that of adam. Call init()"],
    ["adam's for sgd, which keeps nothing", adam(), none, "sgd: the state at (root) is that of adam"],
    [
      "one with amsgrad for one without",
      adam({ amsgrad: true }),
      adam(),
      "adam: the state has the slot maxSecondMoment",
    ],
    [
      "one without for one with",
      adam(),
      adam({ amsgrad: true }),
      "adam: the state has no slot maxSecondMoment",
    ],
    ["ema's for the rule within", ema(adam()), adam(), "adam: the state at (root) is that of ema(adam)"],
    ["another ema's", ema(adam()), ema(adamw()), "ema(adamw): the state at (root) is that of ema(adam)"],
    [
      "another partition's",
      partition({ all: adam() }, () => "all"),
      partition({ all: none }, () => "all"),
      "is that of partition(all: adam)",
    ],
  ])("is refused: %s", (_, theirs, ours, message) => {
    const update = () => ours.update(params, theirs.init(params), { params });
    expect(update).toThrow(expect.objectContaining({ code: "tree-mismatch" }));
    expect(update).toThrow(message);
  });

  it("that names no rule is taken for what its slots say, as a plugin's may", () => {
    const { rule: _, ...state } = adam().init(params);
    expect(adam().update(params, state, { params }).state.step.value).toBe(1);
  });

  it("whose gradients or moments have another dtype is refused, naming the path", () => {
    const f64 = { layer: { weight: params.layer.weight, bias: tensor([1], { dtype: "f64" }) } };
    const update = () => adam().update(f64, adam().init(params), { params });
    expect(update).toThrow("adam: the gradients: layer.bias is f64, its parameter f32");
    const resumed = () => adam().update(params, adam().init(f64), { params });
    expect(resumed).toThrow("adam: the state's firstMoment: layer.bias is f64, its parameter f32");
  });

  it("may have its keys in another order", () => {
    const turned = { layer: { bias: params.layer.bias, weight: params.layer.weight } };
    const state = adam().init(params);
    const [a, b] = [params, turned].map(
      (grads) => adam().update(grads, state, { params }).updates.layer.weight,
    );
    expect(b?.toArray()).toEqual(a?.toArray());
  });
});

describe("a schedule", () => {
  const update = (rule: Rule) => () => rule.update(params, rule.init(params), { params });
  it.each<[string, Rule, string]>([
    [
      "of a learning rate below 0",
      sgd({ lr: (t) => t - 1 }),
      "the schedule gives -1 at step 0, not a number of at least 0",
    ],
    ["of NaN", adam({ lr: () => Number.NaN }), "the schedule gives NaN at step 0"],
    ["of a beta of 1", adam({ beta1: () => 1 }), "the schedule of a decay gives 1 at step 0, not in [0, 1)"],
  ])("%s is refused, naming the step", (_, rule, message) => {
    expect(update(rule)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(update(rule)).toThrow(message);
  });
});

describe("applyUpdates", () => {
  it("adds leaf by leaf and keeps constants", () => {
    const next = applyUpdates({ w: tensor([1, 2]), name: "a" }, { w: tensor([3, -3]), name: "a" });
    expect(next.w.toArray()).toEqual([4, -1]);
    expect(next.name).toBe("a");
  });

  it("refuses updates that would broadcast", () => {
    const call = () => applyUpdates({ w: tensor([1, 2]) }, { w: tensor([1]) });
    expect(call).toThrow("applyUpdates: the updates: w has shape [1], its parameter [2]");
  });
});

describe("a state", () => {
  it("is a plain tree: it survives being rebuilt", () => {
    const rule = adam({ amsgrad: true });
    const first = rule.update(params, rule.init(params), { params }).state;
    const copied: RuleState<typeof params> = {
      step: first.step,
      slots: Object.fromEntries(
        Object.entries(first.slots).map(([name, slot]) => [name, { layer: { ...slot.layer } }]),
      ),
    };
    const bias = (state: RuleState<typeof params>): Tensor =>
      rule.update(params, state, { params }).updates.layer.bias;
    expect(bias(copied).item()).toBe(bias(first).item());
  });
});
