import { type Rule, type RuleState, scalar, type Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adam, applyUpdates, frozen, partition, sgd } from "./index.js";

const params = { backbone: { w: tensor([1, 2]) }, head: { w: tensor([3]), b: tensor(4) } };
const grads = { backbone: { w: tensor([1, 1]) }, head: { w: tensor([1]), b: tensor(1) } };
const labelOf = ([part, leaf]: readonly string[]) =>
  part === "backbone" ? "slow" : leaf === "b" ? "bias" : "fast";

describe("partition", () => {
  it("updates each part by its own rule, as if it were alone", () => {
    const parts = { slow: sgd({ lr: 0.01 }), fast: sgd({ lr: 0.1, momentum: 0.9 }), bias: adam({ lr: 1 }) };
    const rule = partition(parts, labelOf);
    let state = rule.init(params);
    const alone = {
      slow: parts.slow.init(params),
      fast: parts.fast.init(params),
      bias: parts.bias.init(params),
    };
    for (let step = 0; step < 3; step++) {
      const next = rule.update(grads, state, { params });
      const slow = parts.slow.update(grads, alone.slow, { params });
      const fast = parts.fast.update(grads, alone.fast, { params });
      const bias = parts.bias.update(grads, alone.bias, { params });
      expect(next.updates.backbone.w.toArray()).toEqual(slow.updates.backbone.w.toArray());
      expect(next.updates.head.w.toArray()).toEqual(fast.updates.head.w.toArray());
      expect(next.updates.head.b.item()).toBe(bias.updates.head.b.item());
      state = next.state;
      Object.assign(alone, { slow: slow.state, fast: fast.state, bias: bias.state });
    }
    expect(state.step.value).toBe(3);
    expect(state.inner?.fast?.step.value).toBe(3);
  });

  it("leaves parameters labelled frozen as they are, without memory for them", () => {
    const rule = partition({ rest: adam({ lr: 0.1 }) }, ([part]) =>
      part === "backbone" ? "frozen" : "rest",
    );
    const state = rule.init(params);
    expect(Object.keys(state.inner ?? {})).toEqual(["frozen", "rest"]);
    expect(state.inner?.frozen?.slots).toEqual({});
    expect(Object.keys(state.inner?.rest?.slots.firstMoment as object)).toEqual(["head.w", "head.b"]);
    const next = applyUpdates(params, rule.update(grads, state, { params }).updates);
    expect(next.backbone.w.toArray()).toEqual([1, 2]);
    expect(next.head.w.item()).toBeCloseTo(2.9, 6);
  });

  it("lets integer tensors be frozen", () => {
    const table = { ids: tensor([1, 2], { dtype: "i32" }), w: tensor([1]) };
    const rule = partition({ rest: sgd({ lr: 1 }) }, ([name]) => (name === "ids" ? "frozen" : "rest"));
    const { updates } = rule.update(table, rule.init(table), { params: table });
    expect(updates.ids.toArray()).toEqual([0, 0]);
    expect(updates.ids.dtype).toBe("i32");
  });

  it("is the same compiled", () => {
    const rule = partition({ slow: sgd({ lr: 0.01 }), fast: adam(), bias: frozen() }, labelOf);
    const step = (p: typeof params, state: RuleState<typeof params>) =>
      rule.update(grads, state, { params: p });
    const compiled = compile(step);
    const [eager, replayed] = [step(params, rule.init(params)), compiled(params, rule.init(params))];
    expect(replayed.updates.head.w.item()).toBeCloseTo(eager.updates.head.w.item(), 7);
    expect(replayed.state.inner?.fast?.step.value).toBe(1);
    expect(compiled(params, replayed.state).state.step.value).toBe(2);
  });

  it("takes the root as a parameter, and labels without parameters", () => {
    const rule = partition({ only: sgd({ lr: 1 }), unused: adam() }, () => "only");
    const w = tensor([2]);
    expect(rule.update(w, rule.init(w), { params: w }).updates.item()).toBe(-2);
  });

  it("refuses labels without a rule, naming the parameter", () => {
    const rule = partition({ slow: sgd({ lr: 1 }) }, labelOf);
    expect(() => rule.init(params)).toThrow(
      'partition: parameter head.w has the label "fast", which has no rule: there are frozen, slow',
    );
  });

  it("refuses paths that read alike", () => {
    const rule = partition({ all: sgd({ lr: 1 }) }, () => "all");
    expect(() => rule.init({ "a.b": tensor(1), a: { b: tensor(1) } })).toThrow(
      "two parameters have the path a.b",
    );
  });

  it("reports the hyper-parameters of its parts", () => {
    const rule = partition(
      { slow: sgd({ lr: (t) => t + 1 }), fast: sgd({ lr: 5 }), bias: frozen() },
      labelOf,
    );
    const { state } = rule.update(grads, rule.init(params), { params });
    expect(rule.hyper?.(state)).toMatchObject({ "slow.lr": 2, "fast.lr": 5 });
    expect(rule.name).toBe("partition(slow: sgd, fast: sgd, bias: frozen)");
    expect(rule.evalParams).toBeUndefined();
    expect(rule.observe).toBeUndefined();
  });

  it("hands its context to rules that use it, cut down to their part", () => {
    const seen: Record<string, unknown> = {};
    const curious: Rule = {
      ...frozen(),
      update: (part, state, context) => {
        const [loss, elsewhere] = context.valueAndGrad?.(context.params) ?? [];
        Object.assign(seen, { part, loss, elsewhere, product: context.hvp?.(part), key: context.key });
        return frozen().update(part, state, context);
      },
      evalParams: (part) => part,
      observe: (state, metric) => ({ ...state, scalars: { metric: scalar(metric) } }),
    };
    const rule = partition({ curious, rest: sgd({ lr: 1 }) }, ([part]) =>
      part === "head" ? "curious" : "rest",
    );
    const state = rule.init(params);
    rule.update(grads, state, {
      params,
      key: key(0),
      valueAndGrad: (p) => [p.head.b.mul(10), p],
      hvp: (v) => ({ backbone: { w: v.backbone.w.add(1) }, head: v.head }),
    });
    expect(Object.keys(seen.part as object)).toEqual(["head.w", "head.b"]);
    expect((seen.loss as Tensor).item()).toBe(40);
    expect((seen.elsewhere as Record<string, Tensor>)["head.w"]?.item()).toBe(3);
    expect((seen.product as Record<string, Tensor>)["head.w"]?.item()).toBe(1);
    expect(seen.key).toBeDefined();
    expect(rule.evalParams?.(params, state).head.w.item()).toBe(3);
    expect(rule.observe?.(state, 0.5).inner?.curious?.scalars?.metric?.value).toBe(0.5);
  });
});
