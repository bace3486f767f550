import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { clipByGlobalNorm, clipByValue } from "./index.js";

const f64 = (values: number | number[]) => tensor(values, { dtype: "f64" });

describe("clipByGlobalNorm", () => {
  it("scales all gradients by maxNorm / (norm + 1e-6)", () => {
    const { grads, norm } = clipByGlobalNorm({ w: f64([3, 0]), b: f64(4) }, 1);
    expect(norm.item()).toBeCloseTo(5, 14);
    expect(grads.w.data()[0]).toBeCloseTo(3 / 5.000001, 14);
    expect(grads.b.item()).toBeCloseTo(4 / 5.000001, 14);
    expectTypeOf(grads).toEqualTypeOf<{ w: ReturnType<typeof f64>; b: ReturnType<typeof f64> }>();
  });

  it("leaves smaller gradients alone, and zeros at zero", () => {
    expect(clipByGlobalNorm([f64([3, 4])], 100).grads[0]?.toArray()).toEqual([3, 4]);
    expect(clipByGlobalNorm([f64([0, 0])], 1).grads[0]?.toArray()).toEqual([0, 0]);
  });

  it("is just below the gradients at exactly maxNorm, as in PyTorch", () => {
    const clipped = clipByGlobalNorm([f64([3, 4])], 5).grads[0]?.data() ?? [];
    expect(clipped[0]).toBeCloseTo(2.99999940000012, 13);
    expect(clipped[1]).toBeCloseTo(3.99999920000016, 13);
  });

  it.each([
    [1, 7],
    [2, 5],
    [Number.POSITIVE_INFINITY, 4],
  ])("takes the %d-norm", (p, want) => {
    const { grads, norm } = clipByGlobalNorm([f64([-3]), f64(4)], 1, { p });
    expect(norm.item()).toBeCloseTo(want, 14);
    expect(grads[0]?.item()).toBeCloseTo(-3 / (want + 1e-6), 14);
  });

  it("shows a norm that is not finite", () => {
    const { grads, norm } = clipByGlobalNorm([f64([Number.NaN, 1])], 1);
    expect(norm.item()).toBeNaN();
    expect(grads[0]?.data()[1]).toBeNaN();
  });

  it("passes over empty tensors and constants", () => {
    const empty = tensor(new Float64Array(0), { shape: [0, 2] });
    expect(clipByGlobalNorm({ empty, w: f64([3, 4]), none: null }, 1).norm.item()).toBe(5);
    expect(clipByGlobalNorm([empty], 1).norm.item()).toBe(0);
  });

  it("is the same compiled", () => {
    const clip = compile((g: readonly ReturnType<typeof f64>[]) => clipByGlobalNorm(g, 1));
    expect(clip([f64([3, 4])]).grads[0]?.data()[0]).toBeCloseTo(3 / 5.000001, 14);
  });

  it("refuses negative norms and trees without tensors", () => {
    expect(() => clipByGlobalNorm([f64(1)], -1)).toThrow("maxNorm must be a number of at least 0, got -1");
    expect(() => clipByGlobalNorm([f64(1)], Number.NaN)).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
    expect(() => clipByGlobalNorm([], 1)).toThrow("the gradient tree is empty");
  });
});

describe("clipByValue", () => {
  it("clamps every element to [-value, value]", () => {
    const clipped = clipByValue({ w: f64([-3, 0.25, 3]), b: f64(0.5) }, 0.5);
    expect(clipped.w.toArray()).toEqual([-0.5, 0.25, 0.5]);
    expect(clipped.b.item()).toBe(0.5);
  });

  it("refuses negative values", () => {
    expect(() => clipByValue([f64(1)], -1)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});
