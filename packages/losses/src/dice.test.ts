import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { dice } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("dice", () => {
  it("is 1 - (2 sum p t + smooth) / (sum p + sum t + smooth) of each sample", () => {
    const [p, t] = [
      f64([
        [1, 1, 0, 0],
        [0.5, 0, 0, 0],
      ]),
      f64([
        [1, 0, 0, 0],
        [1, 0, 0, 1],
      ]),
    ];
    const got = dice(p, t, { reduction: "none" }).data();
    expect(got[0]).toBeCloseTo(1 - 3 / 4, 14);
    expect(got[1]).toBeCloseTo(1 - 2 / 3.5, 14);
  });

  it("sums over all axes but the first, and finds empty masks equal", () => {
    const empty = tensor(new Float32Array(12), { shape: [3, 2, 2] });
    expect(dice(empty, empty, { reduction: "none" }).toArray()).toEqual([0, 0, 0]);
  });

  it("refuses logits", () => {
    expect(() => dice(f64([[2]]), f64([[1]]))).toThrow("dice: probabilities must be in [0, 1], got 2");
    expect(() => dice(f64([[2]]), f64([[1]]))).toThrow("logits.sigmoid()");
    expect(() => dice(f64([[1]]), f64([[1]]), { smooth: -1 })).toThrow("dice: smooth must be at least 0");
  });
});
