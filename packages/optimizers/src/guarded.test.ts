import type { RuleState, Tensor } from "@gradus/core";
import { compile, tensor, zeros } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adam, applyUpdates, checkFinite, ema, type GuardedOptions, guarded, sgd } from "./index.js";

const f64 = (...values: number[]) => tensor(values, { dtype: "f64" });

interface Params {
  readonly layers: readonly [{ readonly w: Tensor; readonly b: Tensor }];
}
const params = (w: number, b: number): Params => ({ layers: [{ w: f64(w), b: f64(b) }] });
const sound = params(1, -1);
const bad = params(1, Number.NaN);

function stepper(options: GuardedOptions, compiled: boolean, rule = adam({ lr: 0.1 })) {
  const watched = guarded(rule, options);
  const step = (p: Params, s: RuleState<Params>, grads: Params) => {
    const next = watched.update(grads, s, { params: p });
    return { p: applyUpdates(p, next.updates), s: next.state };
  };
  const run = compiled ? compile(step, { donate: [0, 1] }) : step;
  return (gradients: readonly Params[]) => {
    let [p, s] = [params(0, 0), watched.init(params(0, 0))];
    for (const g of gradients) ({ p, s } = run(p, s, g));
    return { p: p.layers[0], s };
  };
}

/** Adam's, where the bad step counts and moves nothing. */
const values = ({ p }: { readonly p: { readonly w: Tensor; readonly b: Tensor } }) => [
  p.w.item(),
  p.b.item(),
];

describe("guarded", () => {
  it.each([false, true])(
    "skip leaves the update out, and moments as they were (compiled: %s)",
    (compiled) => {
      const run = stepper({ nonFinite: "skip" }, compiled);
      const [before, after] = [run([sound]), run([sound, bad])];
      expect(values(after)).toEqual(values(before));
      const moments = (s: RuleState<Params>) => s.inner?.rule?.slots.firstMoment as Params;
      expect(moments(after.s).layers[0].b.item()).toBe(moments(before.s).layers[0].b.item());
      expect(after.s.step.value).toBe(2);
      const counts = after.s.slots.nonFinite as Params;
      expect([counts.layers[0].w.item(), counts.layers[0].b.item()]).toEqual([0, 1]);
      expect(values(run([sound, bad, sound])).every((value) => Math.abs(value) > 0.15)).toBe(true);
    },
  );

  it("pass changes nothing, and counts", () => {
    const after = stepper({ nonFinite: "pass" }, true)([sound, bad]);
    expect(after.p.b.item()).toBeNaN();
    expect(after.p.w.item()).toBeCloseTo(-0.2, 6);
    expect((after.s.slots.nonFinite as Params).layers[0].b.item()).toBe(1);
  });

  it("error throws, naming the parameter and what it has", () => {
    const run = stepper({}, false);
    expect(() => run([sound, bad])).toThrow(expect.objectContaining({ code: "non-finite" }));
    expect(() => run([sound, params(Infinity, 1)])).toThrow(
      "guarded(adam): the gradient of layers.0.w has a Infinity. Lower the learning rate",
    );
    expect(values(run([sound, sound]))).toEqual([expect.closeTo(-0.2, 6), expect.closeTo(0.2, 6)]);
  });

  it("error holds on to the last good parameters where it is compiled, until checkFinite throws", async () => {
    const run = stepper({}, true);
    const [before, after] = [run([sound]), run([sound, bad, sound, sound])];
    expect(values(after)).toEqual(values(before));
    await expect(checkFinite(before.s)).resolves.toBe(undefined);
    await expect(checkFinite(after.s)).rejects.toThrow(
      "checkFinite: gradients were NaN or infinite: layers.0.b (1 times)",
    );
  });

  it("is the rule itself where all is finite", () => {
    const [rule, watched] = [ema(sgd({ lr: 0.1 })), guarded(ema(sgd({ lr: 0.1 })))];
    expect(watched.name).toBe("guarded(ema(sgd))");
    expect(watched.hyper?.(watched.init(sound))).toEqual(rule.hyper?.(rule.init(sound)));
    expect(watched.evalParams?.(bad, watched.init(sound)).layers[0].b.item()).toBe(-1);
    expect(values(stepper({}, true, sgd({ lr: 0.1 }))([sound]))).toEqual([-0.1, 0.1]);
  });

  it("refuses unknown policies, and the state of a rule that is not guarded", async () => {
    const call = () => guarded(sgd({ lr: 1 }), { nonFinite: "ignore" as "skip" });
    expect(call).toThrow("guarded: nonFinite must be error, skip or pass, got ignore");
    const state = sgd({ lr: 1 }).init({ w: zeros([1]) });
    await expect(checkFinite(state)).rejects.toThrow("it is not that of a guarded() rule");
  });
});
