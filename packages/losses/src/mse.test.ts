import { grad, gradcheck } from "@gradus/autograd";
import type { Loss } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type LossOptions, mse } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("mse", () => {
  it("is 0.020000 for [1, 2, 3] against [0.9, 2.1, 3.2]", () => {
    const [predictions, targets] = [
      [1, 2, 3],
      [0.9, 2.1, 3.2],
    ] as const;
    expect(mse(f64([...predictions]), f64([...targets])).item()).toBeCloseTo(0.02, 15);
    expect(mse(tensor(predictions), tensor(targets)).item()).toBeCloseTo(0.02, 7);
  });

  it("keeps, adds or averages the squares, and averages by default", () => {
    const [p, t] = [
      f64([
        [1, 2],
        [3, 4],
      ]),
      f64([
        [0, 0],
        [0, 2],
      ]),
    ];
    expect(mse(p, t, { reduction: "none" }).toArray()).toEqual([
      [1, 4],
      [9, 4],
    ]);
    expect(mse(p, t, { reduction: "sum" }).item()).toBe(18);
    expect(mse(p, t).item()).toBe(4.5);
  });

  it("of nothing is NaN as a mean and 0 as a sum", () => {
    const nothing = tensor(new Float32Array(0), { shape: [0, 3] });
    expect(mse(nothing, nothing).item()).toBeNaN();
    expect(mse(nothing, nothing, { reduction: "sum" }).item()).toBe(0);
  });

  it("has the gradient 2 (p - t) / n", () => {
    const gradient = grad((p: ReturnType<typeof f64>) => mse(p, f64([0, 4])))(f64([1, 2]));
    expect(gradient.toArray()).toEqual([1, -2]);
  });

  it("passes gradcheck by predictions, targets and sample weights, for every reduction", () => {
    const inputs = {
      p: f64([
        [0.3, -1.2],
        [2.5, 0.1],
      ]),
      t: f64([
        [1, 0.5],
        [-0.7, 2],
      ]),
      w: f64([0.5, 2]),
    };
    for (const reduction of ["none", "sum", "mean"] as const) {
      gradcheck(({ p, t, w }) => mse(p, t, { reduction, sampleWeight: w }), inputs);
    }
  });

  it("weights samples: the mean is that of the samples repeated so often", () => {
    const once = mse(
      f64([
        [1, 2],
        [5, 5],
      ]),
      f64([
        [0, 0],
        [0, 0],
      ]),
      { sampleWeight: f64([3, 1]) },
    );
    const repeated = mse(
      f64([
        [1, 2],
        [1, 2],
        [1, 2],
        [5, 5],
      ]),
      f64([
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
    );
    expect(once.item()).toBeCloseTo(repeated.item(), 14);
  });

  it("takes weights of each element, and multiplies them into the unreduced losses", () => {
    const weight = f64([
      [1, 0],
      [2, 1],
    ]);
    const [p, t] = [
      f64([
        [1, 2],
        [3, 4],
      ]),
      f64([
        [0, 0],
        [0, 0],
      ]),
    ];
    expect(mse(p, t, { sampleWeight: weight, reduction: "none" }).toArray()).toEqual([
      [1, 0],
      [18, 16],
    ]);
    expect(mse(p, t, { sampleWeight: weight, reduction: "sum" }).item()).toBe(35);
    expect(mse(p, t, { sampleWeight: weight }).item()).toBe(35 / 4);
  });

  it("is the same compiled", () => {
    const [p, t] = [tensor([1.5, -2, 0.25]), tensor([1, 1, 1])];
    expect(compile(mse)(p, t).item()).toBe(mse(p, t).item());
  });

  it("refuses shapes that would broadcast, and says what to do", () => {
    const call = () => mse(tensor([[1], [2], [3]]), tensor([1, 2, 3]));
    expect(call).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(call).toThrow("mse: predictions [3, 1] and targets [3] must have the same shape");
    expect(call).toThrow("predictions.reshape");
  });

  it("refuses integer predictions, and suspects swapped arguments", () => {
    const call = () => mse(tensor([1, 2], { dtype: "i32" }), tensor([1, 2]));
    expect(call).toThrow(expect.objectContaining({ code: "dtype-mismatch" }));
    expect(call).toThrow("swapped");
  });

  it("refuses unknown reductions, weights that do not fit and negative ones", () => {
    const [p, t] = [tensor([1, 2]), tensor([1, 2])];
    expect(() => mse(p, t, { reduction: "avg" as "mean" })).toThrow('reduction "avg" is unknown');
    expect(() => mse(p, t, { sampleWeight: tensor([1, 2, 3]) })).toThrow("sampleWeight has shape [3]");
    const negative = { sampleWeight: tensor([1, -2]) };
    expect(() => mse(p, t, negative)).toThrow("sampleWeight must not be negative, got -2 at row 1");
    expect(mse(p, t, { ...negative, validate: false }).item()).toBe(-0);
  });

  it("refuses what is not a tensor", () => {
    const call = () => mse(tensor([1]), [1] as unknown as ReturnType<typeof f64>);
    expect(call).toThrow("mse: targets must be a tensor, got an array. Wrap it: tensor(value)");
  });

  it("is a Loss", () => {
    expectTypeOf(mse).toExtend<Loss<LossOptions>>();
    expectTypeOf(mse).toExtend<Loss>();
  });
});
