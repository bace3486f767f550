import { grad, gradcheck } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { bce, bceWithLogits } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("bceWithLogits", () => {
  it("is bce of the sigmoid", () => {
    const [x, t] = [f64([-2, 0.5, 3]), f64([1, 0.25, 0])];
    expect(bceWithLogits(x, t).item()).toBeCloseTo(bce(x.sigmoid(), t).item(), 14);
  });

  it.each(["f32", "f64"] as const)("is exact for logits of 10,000, value and gradient, in %s", (dtype) => {
    const x = tensor([1e4, 1e4, -1e4, -1e4, 0, 0], { dtype });
    const t = tensor([1, 0, 1, 0, 1, 0], { dtype });
    const loss = bceWithLogits(x, t, { reduction: "none" }).data();
    [0, 1e4, 1e4, 0, Math.LN2, Math.LN2].forEach((want, i) => {
      expect(loss[i]).toBeCloseTo(want, 6);
    });
    const gradient = grad((y: Tensor) => bceWithLogits(y, t, { reduction: "sum" }))(x);
    expect(Array.from(gradient.data(), (g) => g + 0)).toEqual([0, 1, -1, 0, -0.5, 0.5]);
  });

  it("keeps small losses and gradients apart from zero in f32", () => {
    const x = tensor([20, -20]);
    const t = tensor([1, 0]);
    const tiny = Math.log1p(Math.exp(-20));
    const loss = bceWithLogits(x, t, { reduction: "none" }).data();
    const gradient = grad((y: Tensor) => bceWithLogits(y, t, { reduction: "sum" }))(x).data();
    expect((loss[0] as number) / tiny).toBeCloseTo(1, 5);
    expect((loss[1] as number) / tiny).toBeCloseTo(1, 5);
    expect((gradient[0] as number) / -tiny).toBeCloseTo(1, 5);
    expect((gradient[1] as number) / tiny).toBeCloseTo(1, 5);
  });

  it("counts positive targets `posWeight` times", () => {
    const [x, t] = [
      f64([
        [1, -1],
        [0.5, 2],
      ]),
      f64([
        [1, 0],
        [1, 1],
      ]),
    ];
    const posWeight = f64([3, 0.5]);
    const loss = bceWithLogits(x, t, { posWeight, reduction: "none" }).data();
    const softplus = (v: number) => Math.log1p(Math.exp(v));
    [3 * softplus(-1), softplus(-1), 3 * softplus(-0.5), 0.5 * softplus(-2)].forEach((want, i) => {
      expect(loss[i]).toBeCloseTo(want, 14);
    });
  });

  it("passes gradcheck with every kind of weight", () => {
    const inputs = {
      x: f64([
        [0.5, -1.5],
        [2, 0.1],
      ]),
      t: f64([
        [0.2, 0.7],
        [0.9, 0.4],
      ]),
      weight: f64([0.5, 2]),
      posWeight: f64([3, 0.25]),
      sampleWeight: f64([1, 0.3]),
    };
    for (const reduction of ["none", "sum", "mean"] as const) {
      gradcheck(({ x, t, ...weights }) => bceWithLogits(x, t, { ...weights, reduction }), inputs);
    }
  });

  it("is the same compiled", () => {
    const [x, t] = [tensor([1.5, -2, 0.25]), tensor([1, 0, 0.5])];
    expect(compile(bceWithLogits)(x, t).item()).toBeCloseTo(bceWithLogits(x, t).item(), 6);
  });

  it("refuses targets outside of [0, 1], other shapes, and weights that enlarge", () => {
    const outside = () => bceWithLogits(tensor([1, 2]), tensor([1, 3]));
    expect(outside).toThrow("bceWithLogits: targets must be in [0, 1], got 3 at row 1");
    expect(outside).toThrow("of -1 and 1 make them so: targets.add(1).div(2)");
    const swapped = () => bceWithLogits(tensor([1, 0]), tensor([2, -3]));
    expect(swapped).toThrow("Are the arguments swapped? bceWithLogits(logits, targets)");
    expect(bceWithLogits(tensor([1, 2]), tensor([1, 3]), { validate: false }).size).toBe(1);
    const column = () => bceWithLogits(tensor([[1], [2]]), tensor([0, 1]));
    expect(column).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    const weight = tensor([[1], [1]]);
    expect(() => bceWithLogits(tensor([1]), tensor([1]), { weight })).toThrow("weight [2, 1] must broadcast");
    const posWeight = tensor([-1]);
    expect(() => bceWithLogits(tensor([1]), tensor([1]), { posWeight })).toThrow(
      "posWeight must not be negative",
    );
  });
});
