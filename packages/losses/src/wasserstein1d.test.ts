import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { earthMover, wasserstein1d } from "./index.js";

const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("wasserstein1d", () => {
  it("is scipy's wasserstein_distance, of as many samples and of others", () => {
    expect(wasserstein1d(f64([0, 1, 3]), f64([6, 5, 8])).item()).toBeCloseTo(5, 14);
    expect(wasserstein1d(f64([0.3, -1.2, 2.5, 0.9]), f64([1.1, -0.4])).item()).toBeCloseTo(0.775, 14);
    expect(wasserstein1d(f64([3.4, 3.9, 7.5, 7.8]), f64([4.5, 1.4, 1])).item()).toBeCloseTo(3.35, 14);
  });

  it("agrees with itself however often the samples are listed", () => {
    const [a, b] = [
      [0.3, -1.2, 2.5],
      [1.1, -0.4, 0.3],
    ];
    const once = wasserstein1d(f64(a), f64(b)).item();
    expect(wasserstein1d(f64([...a, ...a]), f64(b)).item()).toBeCloseTo(once, 14);
    expect(wasserstein1d(f64([...a, ...a]), f64(a)).item()).toBe(0);
  });

  it("is one loss per distribution, squared with p = 2", () => {
    const [a, b] = [
      f64([
        [3, 0],
        [1, 1],
      ]),
      f64([
        [1, 2],
        [4, 0],
      ]),
    ];
    expect(wasserstein1d(a, b, { reduction: "none" }).toArray()).toEqual([1, 2]);
    expect(wasserstein1d(a, b, { reduction: "none", p: 2 }).toArray()).toEqual([1, 5]);
  });

  it("names what does not fit", () => {
    expect(() => wasserstein1d(f64([1]), f64([1, 2]), { p: 2 })).toThrow("p = 2 needs as many predictions");
    expect(() => wasserstein1d(f64([1]), f64([]))).toThrow("predictions [1] and targets [0] must be samples");
    expect(() => wasserstein1d(f64([[1]]), f64([[1], [2]]))).toThrow("of as many distributions");
    expect(() => wasserstein1d(f64([1]), f64([1]), { p: 3 as 2 })).toThrow("p must be 1 or 2, got 3");
  });
});

describe("earthMover", () => {
  const [p, q] = [f64([0.1, 0.2, 0.3, 0.4]), f64([0.25, 0.25, 0.4, 0.1])];

  it("is scipy's wasserstein_distance of bins with weights", () => {
    expect(earthMover(p, q).item()).toBeCloseTo(0.65, 14);
    const positions = f64([0, 1, 4, 4.5]);
    expect(earthMover(p, q, { positions }).item()).toBeCloseTo(0.9, 14);
  });

  it("squares the differences of the distribution functions with p = 2", () => {
    expect(earthMover(p, q, { p: 2 }).item()).toBeCloseTo(0.15 ** 2 + 0.2 ** 2 + 0.3 ** 2, 14);
  });

  it("names what does not fit", () => {
    expect(() => earthMover(f64([0.5, 2]), f64([0, 1]))).toThrow(
      "Make logits probabilities: logits.softmax(-1)",
    );
    expect(() => earthMover(f64([0.5, 1]), f64([0, 3]))).toThrow("Are the arguments swapped?");
    expect(() => earthMover(p, q, { positions: f64([1]) })).toThrow("one number for each of 4 bins");
    expect(() => earthMover(tensor(1), tensor(1))).toThrow("bins on the last axis, got []");
  });
});
