import type { Rule, Tensor } from "@gradus/core";
import { compile, key } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adabelief, adagrad, adam, adamw, applyUpdates, ema, nadam, rmsprop, sgd, yogi } from "./index.js";

/** How many kernels the update of so many parameter tensors is, and how many of its results are in place. */
function explained(rule: Rule, tensors: number): string {
  const params: readonly Tensor[] = Array.from({ length: tensors }, (_, i) =>
    key(i).normal([2 + (i % 3), 4]),
  );
  const state = rule.init(params);
  const step = compile(
    (p: typeof params, s: typeof state, grads: typeof params) => {
      const next = rule.update(grads, s, { params: p });
      return { params: applyUpdates(p, next.updates), state: next.state };
    },
    { donate: [0, 1] },
  );
  const grads = params.map((p) => p.mul(2));
  step(params, state, grads);
  return step.explain();
}

describe("an update is one kernel for each parameter tensor", () => {
  it.each<[string, Rule]>([
    ["sgd", sgd({ lr: 0.1, momentum: 0.9 })],
    ["adam", adam({ amsgrad: true, weightDecay: 0.1 })],
    ["adamw", adamw()],
    ["nadam", nadam()],
    ["rmsprop", rmsprop({ centered: true, momentum: 0.5 })],
    ["adagrad", adagrad()],
    ["adabelief", adabelief()],
    ["yogi", yogi()],
    ["ema(adamw)", ema(adamw())],
  ])("%s: 4 of 4 tensors", (_, rule) => {
    expect(explained(rule, 4)).toMatch(/^4 kernels on/);
  });

  it("adamw: 60 of 60 tensors, in place", () => {
    const text = explained(adamw(), 60);
    expect(text).toMatch(/^60 kernels on/);
    expect(text).toContain("180 of 180 results in place");
  });
});
