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
