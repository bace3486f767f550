import { breastCancer, type Dataset, diabetes, digits, iris, wine } from "@gradus/datasets";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { crossEntropy, mse, suggestLoss } from "./index.js";

const targetsOf = (data: Dataset) => tensor(data.y);

describe("suggestLoss of the five data sets", () => {
  it.each([
    ["digits", digits(), 10],
    ["iris", iris(), 3],
    ["wine", wine(), 3],
  ] as const)("%s: cross-entropy, without weights", (_, data, classes) => {
    const targets = targetsOf(data);
    const suggestion = suggestLoss({ targets });
    expect(suggestion.loss).toBe("crossEntropy");
    expect(suggestion.options).toEqual({});
    expect(suggestion.lastLayer).toMatchObject({ units: classes, activation: "none" });
    expect(suggestion.warnings).toEqual([]);
    const logits = tensor(
      Float32Array.from({ length: data.rows * classes }, (_, i) => Math.sin(i)),
      { shape: [data.rows, classes] },
    );
    expect(suggestion(logits, targets).item()).toBe(crossEntropy(logits, targets).item());
  });

  it("breast cancer: binary cross-entropy, since 357 against 212 is no imbalance", () => {
    const targets = targetsOf(breastCancer());
    const suggestion = suggestLoss({ targets });
    expect(suggestion.loss).toBe("bceWithLogits");
    expect(suggestion.options).toEqual({});
    expect(suggestion.lastLayer).toMatchObject({ units: 1, activation: "none" });
    expect(suggestion.reasons[0]).toContain("yes or no");
    expect(suggestion(tensor(new Float32Array(569), { shape: [569, 1] }), targets).item()).toBeCloseTo(
      Math.LN2,
      6,
    );
    // With two outputs it is a matter of two classes.
    expect(suggestLoss({ targets, output: { units: 2 } }).loss).toBe("crossEntropy");
  });

  it("diabetes: squared error, after scaling, since there are no outliers", () => {
    const targets = targetsOf(diabetes());
    const suggestion = suggestLoss({ targets });
    expect(suggestion.loss).toBe("mse");
    expect(suggestion.reasons[0]).toBe("the targets are quantities, from 25 to 346");
    expect(suggestion.warnings).toEqual([
      expect.stringContaining("subtract the median and divide by the spread"),
    ]);
    const zeros = targets.mul(0);
    expect(suggestion(zeros, targets).item()).toBe(mse(zeros, targets).item());
  });
});
