import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { coral, corn } from "./index.js";

const i32 = (values: number | number[] | number[][]) => tensor(values, { dtype: "i32" });
const none = { reduction: "none" } as const;
const rows = [
  [2, 1, -1],
  [0.5, -1, -2],
  [0.3, 0.2, 0.1],
];
const classes = [2, 0, 3];
const logits = tensor(rows, { dtype: "f64" });
/** The binary cross-entropy of sigmoid(x). */
const cost = (x: number, yes: boolean) => Math.log1p(Math.exp(yes ? -x : x));
const costs = rows.map((row, i) => row.map((x, k) => cost(x, (classes[i] as number) > k)));
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe("coral", () => {
  it("adds up the binary cross-entropies of all questions", () => {
    const got = coral(logits, i32(classes), none).data();
    costs.forEach((row, i) => {
      expect(got[i]).toBeCloseTo(sum(row), 13);
    });
    expect(coral(logits, i32(classes)).item()).toBeCloseTo(sum(costs.flat()) / 3, 13);
  });

  it("weights questions", () => {
    const weight = tensor([1, 2, 0], { dtype: "f64" });
    const got = coral(logits, i32(classes), { ...none, weight }).data();
    costs.forEach(([a, b], i) => {
      expect(got[i]).toBeCloseTo((a as number) + 2 * (b as number), 13);
    });
    expect(() => coral(logits, i32(classes), { weight: tensor([1]) })).toThrow(
      "one number for each of 3 classes",
    );
  });

  it("has the questions on axis 1 of images, and on axis 0 of a single sample", () => {
    const image = tensor(rows, { dtype: "f64" }).transpose().unsqueeze(0);
    expect(coral(image, i32([classes]), none).shape).toEqual([1, 3]);
    expect(coral(image, i32([classes])).item()).toBeCloseTo(sum(costs.flat()) / 3, 13);
    expect(coral(tensor(rows[0] as number[], { dtype: "f64" }), i32(2)).item()).toBeCloseTo(
      sum(costs[0] as number[]),
      13,
    );
  });

  it("names what does not fit", () => {
    expect(() => coral(logits, i32([0, 4, 1]))).toThrow(
      "target 4 at row 1 is not a class: there are 4 of them, 0 to 3",
    );
    expect(() => coral(logits, i32([0, 1]))).toThrow("coral: targets [2] do not fit logits [3, 3]");
    expect(() => coral(logits, logits)).toThrow("Of a 0 or 1 for each question: targets.sum(1)");
    expect(() => coral(logits, tensor([0, 1, 2]))).toThrow("class indices must be i32, got f32");
  });
});

describe("corn", () => {
  it("puts each question to the samples that it concerns only", () => {
    // Class 2: all three questions; class 0: the first; class 3: all three.
    const each = [sum(costs[0] as number[]), costs[1]?.[0] as number, sum(costs[2] as number[])];
    const got = corn(logits, i32(classes), none).data();
    each.forEach((want, i) => {
      expect(got[i]).toBeCloseTo(want, 13);
    });
    expect(corn(logits, i32(classes)).item()).toBeCloseTo(sum(each) / 7, 13);
  });

  it("weights the mean by samples and questions", () => {
    const sampleWeight = tensor([1, 4, 0], { dtype: "f64" });
    const want = (sum(costs[0] as number[]) + 4 * (costs[1]?.[0] as number)) / (3 + 4);
    expect(corn(logits, i32(classes), { sampleWeight }).item()).toBeCloseTo(want, 13);
  });
});
