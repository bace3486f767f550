import { grad, gradcheck } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { bce } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("bce", () => {
  it("is 0.272903 for [0.7, 0.3, 0.9] against [1, 0, 1]", () => {
    // -(log 0.7 + log 0.7 + log 0.9) / 3
    const exact = -(2 * Math.log(0.7) + Math.log(0.9)) / 3;
    expect(bce(f64([0.7, 0.3, 0.9]), f64([1, 0, 1])).item()).toBeCloseTo(exact, 14);
    expect(bce(tensor([0.7, 0.3, 0.9]), tensor([1, 0, 1])).item()).toBeCloseTo(exact, 7);
    expect(exact.toFixed(6)).toBe("0.272903");
  });

  it("takes soft, integer and boolean targets", () => {
    const p = f64([0.2, 0.6]);
    const soft = bce(p, f64([0.25, 0.5]), { reduction: "none" }).data();
    expect(soft[0]).toBeCloseTo(-(0.25 * Math.log(0.2) + 0.75 * Math.log(0.8)), 14);
    expect(soft[1]).toBeCloseTo(-(0.5 * Math.log(0.6) + 0.5 * Math.log(0.4)), 14);
    const whole = bce(p, f64([0, 1])).item();
    expect(bce(p, tensor([0, 1], { dtype: "i32" })).item()).toBe(whole);
    expect(bce(p, tensor([false, true])).item()).toBe(whole);
  });

  it("clamps logarithms at -100, so that probabilities of 0 and 1 cost 0 or 100", () => {
    const loss = bce(f64([0, 0, 1, 1]), f64([0, 1, 0, 1]), { reduction: "none" });
    expect(Array.from(loss.data(), Math.abs)).toEqual([0, 100, 100, 0]);
  });

  it("has PyTorch's gradient (p - t) / max(p (1 - p), 1e-12), at 0 and 1 too", () => {
    const gradient = (dtype: "f32" | "f64") =>
      Array.from(
        grad((p: Tensor) => bce(p, tensor([0, 1, 0, 1, 1], { dtype }), { reduction: "sum" }))(
          tensor([0, 0, 1, 1, 0.25], { dtype }),
        ).data(),
      );
    const expected = [0, -1e12, 1e12, 0, -4];
    for (const dtype of ["f32", "f64"] as const) {
      gradient(dtype).forEach((got, i) => {
        const want = expected[i] as number;
        expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-6 * Math.abs(want));
      });
    }
  });

  it("passes gradcheck by probabilities, targets and sample weights", () => {
    const inputs = { p: f64([0.2, 0.9, 0.5]), t: f64([0.3, 0.6, 0.8]), s: f64([1, 2, 0.5]) };
    const weight = f64([0.5, 1, 2]);
    for (const reduction of ["none", "sum", "mean"] as const) {
      gradcheck(({ p, t, s }) => bce(p, t, { reduction, weight, sampleWeight: s }), inputs);
    }
  });

  it("can be differentiated twice", () => {
    // d2/dp2 of -log p is 1 / p^2.
    const second = grad((p: Tensor) => grad((q: Tensor) => bce(q, f64([1]), { reduction: "sum" }))(p).sum());
    expect(second(f64([0.25])).item()).toBeCloseTo(16, 10);
  });

  it("multiplies by `weight`, which leaves the mean's denominator alone", () => {
    const [p, t] = [
      f64([
        [0.5, 0.5],
        [0.5, 0.5],
      ]),
      f64([
        [0, 1],
        [1, 0],
      ]),
    ];
    const loss = bce(p, t, { weight: f64([1, 3]) });
    expect(loss.item()).toBeCloseTo(2 * Math.LN2, 14);
    expect(bce(p, t, { sampleWeight: f64([1, 3]) }).item()).toBeCloseTo(Math.LN2, 14);
  });

  it("is the same compiled, with its gradient", () => {
    const [p, t] = [tensor([0.7, 0.3, 0]), tensor([1, 0, 1])];
    const gradient = (q: Tensor) => grad((r: Tensor) => bce(r, t))(q);
    expect(compile(bce)(p, t).item()).toBeCloseTo(bce(p, t).item(), 6);
    expect(compile(gradient)(p).toArray()).toEqual(gradient(p).toArray());
  });

  it("names the value that is no probability, and its place", () => {
    const call = () =>
      bce(
        tensor([
          [0.5, 0.5],
          [0.5, 1.2],
        ]),
        tensor([
          [1, 0],
          [1, 0],
        ]),
      );
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(
      /probabilities must be in \[0, 1\], got 1\.2\d* at row 1, position \[1\].*bceWithLogits/,
    );
    expect(() => bce(tensor([Number.NaN]), tensor([1]))).toThrow("got NaN at row 0");
    expect(() => bce(tensor([0.5]), tensor([2]))).toThrow("targets must be in [0, 1], got 2 at row 0");
    expect(() => bce(tensor(-0.1), tensor(1), { validate: true })).toThrow("probabilities must be in [0, 1]");
  });

  it("checks shapes, and that weights do not enlarge the losses", () => {
    expect(() => bce(tensor([[0.5]]), tensor([1]))).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
    const enlarging = () => bce(tensor([0.5]), tensor([1]), { weight: tensor([1, 1]) });
    expect(enlarging).toThrow("bce: weight [2] must broadcast to the losses' shape [1]");
    expect(() => bce(tensor([0.5]), tensor([1]), { weight: tensor([-1]) })).toThrow(
      "weight must not be negative",
    );
  });
});
