import { isGradusError, type RuleState } from "@gradus/core";
import { compile, type Tensor, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adam, applyUpdates, lossScaled, sgd } from "./index.js";

interface Params {
  readonly w: Tensor;
  readonly b: Tensor;
}
const params: Params = { w: tensor([1, 2]), b: tensor(3) };
const times = ({ w, b }: Params, scale: number): Params => ({ w: w.mul(scale), b: b.mul(scale) });
const grads: Params = { w: tensor([0.5, -1]), b: tensor(0.25) };
const bad: Params = { w: tensor([0.5, Infinity]), b: tensor(0.25) };

describe("lossScaled", () => {
  it("gives the updates of the rule on gradients that are not scaled", () => {
    const [plain, scaled] = [adam({ lr: 0.1 }), lossScaled(adam({ lr: 0.1 }), { initial: 4096 })];
    const expected = plain.update(grads, plain.init(params), { params }).updates;
    const { updates } = scaled.update(times(grads, 4096), scaled.init(params), { params });
    expect(updates.w.toArray()).toEqual(expected.w.toArray());
    expect(updates.b.item()).toBe(expected.b.item());
  });

  it.each([false, true])(
    "shrinks the scale and skips, grows after sound steps in a row (compiled: %s)",
    (isCompiled) => {
      const rule = lossScaled(sgd({ lr: 1, momentum: 0.9 }), {
        initial: 8,
        growth: 4,
        backoff: 0.5,
        interval: 2,
      });
      const step = (p: Params, s: RuleState<Params>, g: Params) => {
        const next = rule.update(g, s, { params: p });
        return { p: applyUpdates(p, next.updates), s: next.state };
      };
      const run = isCompiled ? compile(step) : step;
      let [p, s] = [params, rule.init(params)];
      const scales: number[] = [];
      const moved: boolean[] = [];
      for (const isSound of [true, false, true, true, true, false, true]) {
        const before = p.b.item();
        const scale = rule.lossScale(s).item();
        ({ p, s } = run(p, s, isSound ? times(grads, scale) : bad));
        scales.push(rule.lossScale(s).item());
        moved.push(p.b.item() !== before);
      }
      // PyTorch's GradScaler with the same options.
      expect(scales).toEqual([8, 4, 4, 16, 16, 8, 8]);
      expect(moved).toEqual([true, false, true, true, true, false, true]);
      expect(s.step.value).toBe(7);
    },
  );

  it("keeps the scale of parameters of f16 in f32, which it fits", () => {
    const half = { w: tensor([1, 2], { dtype: "f16" }) };
    const rule = lossScaled(sgd({ lr: 0.5 }));
    const state = rule.init(half);
    expect(rule.lossScale(state).item()).toBe(65536);
    const scaled = { w: tensor([32768, -65504], { dtype: "f16" }) };
    const { updates } = rule.update(scaled, state, { params: half });
    expect(updates.w.dtype).toBe("f16");
    expect(updates.w.toArray()).toEqual([-0.25, 0.499755859375]);
  });

  it("does not grow beyond what is finite", () => {
    const rule = lossScaled(sgd({ lr: 1 }), { initial: 2 ** 127, interval: 1 });
    const { state } = rule.update(grads, rule.init(params), { params });
    expect(rule.lossScale(state).item()).toBe(2 ** 127);
  });

  it.each([{ initial: 0 }, { growth: 0.5 }, { backoff: 1 }, { interval: 0 }])("refuses %o", (options) => {
    expect(() => lossScaled(sgd({ lr: 1 }), options)).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
  });

  it("refuses the state of another rule", () => {
    const rule = lossScaled(sgd({ lr: 1 }));
    try {
      rule.lossScale(sgd({ lr: 1 }).init(params));
      expect.unreachable();
    } catch (error) {
      expect(isGradusError(error, "tree-mismatch")).toBe(true);
    }
  });
});
