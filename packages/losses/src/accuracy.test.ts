import type { Metric } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { accuracy } from "./index.js";

const i32 = (values: number[] | number[][]) => tensor(values, { dtype: "i32" });
const logits = tensor([
  [0.2, 0.5, 0.3],
  [0.8, 0.1, 0.1],
  [0.1, 0.2, 0.7],
  [1, 1, 0],
]);

describe("accuracy", () => {
  it("counts the rows whose greatest logit is the target's, the first of equal ones", () => {
    expect(accuracy(logits, i32([1, 0, 2, 0])).item()).toBe(1);
    expect(accuracy(logits, i32([1, 0, 0, 1])).item()).toBe(0.5);
  });

  it("takes probabilities as targets", () => {
    const targets = tensor([
      [0.1, 0.8, 0.1],
      [0, 1, 0],
      [0, 0.4, 0.6],
      [1, 0, 0],
    ]);
    expect(accuracy(logits, targets).item()).toBe(0.75);
  });

  it("leaves ignored targets out", () => {
    expect(accuracy(logits, i32([1, -100, 0, -100])).item()).toBe(0.5);
    expect(accuracy(logits, i32([1, 7, 0, 7]), { ignoreIndex: 7 }).item()).toBe(0.5);
    expect(accuracy(logits, i32([-100, -100, -100, -100])).item()).toBeNaN();
  });

  it("has the classes on axis 1 of images", () => {
    const images = tensor([
      [
        [1, 0],
        [0, 1],
      ],
    ]);
    expect(accuracy(images, i32([[0, 0]])).item()).toBe(0.5);
  });

  it("is f32 and 0-dimensional, and the same compiled", () => {
    const result = compile((x: typeof logits, t: typeof logits) => accuracy(x, t))(logits, i32([1, 0, 0, 1]));
    expect([result.dtype, result.shape, result.item()]).toEqual(["f32", [], 0.5]);
  });

  it("refuses targets that do not fit", () => {
    expect(() => accuracy(logits, i32([1, 2]))).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(() => accuracy(logits, tensor([1, 2, 0, 0]))).toThrow(
      expect.objectContaining({ code: "dtype-mismatch" }),
    );
  });

  it("is a Metric", () => {
    expectTypeOf(accuracy).toExtend<Metric>();
  });
});
