import { flattenTree, type Rule, type RuleState, type Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { applyUpdates } from "./index.js";

const f64 = (values: number[]) => tensor(values, { dtype: "f64" });

interface Params {
  readonly w: Tensor;
}

/** What a rule must do. */
export interface RuleCase<Options> {
  readonly make: (options: Options) => Rule;
  /** The paper's or PyTorch's loop for one number, in plain code: the parameter after each gradient. */
  readonly reference: (options: Options) => (start: number, gradients: readonly number[]) => number[];
  readonly options: readonly Options[];
  /** The state's slots with the first of `options`. */
  readonly slots: readonly string[];
  readonly refused: readonly (readonly [Options, message: string])[];
}

const gradients = [0.5, -1, 2, 0.25, -0.75, 1e-4, 0, -3];

/** The tests that every rule passes: its formula, eager and compiled, its state, its types and its refusals. */
export function describeRule<Options>(name: string, of: RuleCase<Options>): void {
  const stepOf = (rule: Rule) => (params: Params, state: RuleState<Params>, grads: Params) => {
    const next = rule.update(grads, state, { params });
    return { params: applyUpdates(params, next.updates), state: next.state };
  };

  describe(name, () => {
    it.each(of.options)("takes the steps of the formula with %o, eager and compiled", (options) => {
      const want = of.reference(options)(1.5, gradients);
      const rule = of.make(options);
      for (const run of [stepOf(rule), compile(stepOf(rule), { donate: [0, 1] })]) {
        let params: Params = { w: f64([1.5]) };
        let state = rule.init(params);
        gradients.forEach((g, i) => {
          ({ params, state } = run(params, state, { w: f64([g]) }));
          expect(params.w.item(), `step ${i}`).toBeCloseTo(want[i] as number, 12);
        });
        expect(state.step.value).toBe(gradients.length);
      }
    });

    it.each(of.options)("goes on from a copied state with %o", (options) => {
      const step = stepOf(of.make(options));
      let params: Params = { w: f64([1.5, -1]) };
      let state = of.make(options).init(params);
      for (const g of gradients.slice(0, 4)) ({ params, state } = step(params, state, { w: f64([g, 1]) }));
      const flat = flattenTree(state);
      const copied = flat.rebuild(
        flat.leaves.map((leaf) => ("shape" in leaf ? f64([...leaf.data()].map(Number)) : leaf)),
      );
      const [one, other] = [state, copied].map((from) => step(params, from, { w: f64([2, -1]) }));
      expect(other?.params.w.toArray()).toEqual(one?.params.w.toArray());
    });

    it("keeps the types of trees, and its slots", () => {
      const rule = of.make(of.options[0] as Options);
      const params = { layers: [{ weight: f64([1]) }] as const, head: f64([2]) };
      const { updates, state } = rule.update(params, rule.init(params), { params });
      expectTypeOf(updates).toEqualTypeOf<typeof params>();
      expect(Object.keys(state.slots)).toEqual(of.slots);
      expect(Object.keys(rule.init(params).slots)).toEqual(of.slots);
      expect(rule.name).toBe(name);
      expect(rule.hyper?.(state).lr).toEqual(expect.any(Number));
    });

    it.each(of.refused)("refuses %o", (options, message) => {
      expect(() => of.make(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      expect(() => of.make(options)).toThrow(`${name}: ${message}`);
    });
  });
}
