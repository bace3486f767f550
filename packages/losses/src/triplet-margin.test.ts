import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { tripletMargin } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const [anchor, positive, negative] = [f64([[0, 0]]), f64([[3, 4]]), f64([[0, 2]])];

describe("tripletMargin", () => {
  it("is max(0, d(a, p) - d(a, n) + margin), in the norm p", () => {
    expect(tripletMargin(anchor, positive, negative, { eps: 0 }).item()).toBeCloseTo(4, 12);
    expect(tripletMargin(anchor, positive, negative, { eps: 0, p: 1, margin: 0.5 }).item()).toBe(5.5);
    expect(tripletMargin(anchor, negative, positive).item()).toBe(0);
  });

  it("takes the lesser distance of the negative with swap", () => {
    const options = { eps: 0, margin: 1 };
    const far = f64([[-6, 8]]);
    // d(a, p) = 5, d(a, n) = 10, d(p, n) = sqrt(97)
    expect(tripletMargin(anchor, positive, far, { ...options, margin: 6 }).item()).toBeCloseTo(1, 12);
    const swapped = tripletMargin(anchor, positive, far, { ...options, margin: 6, swap: true }).item();
    expect(swapped).toBeCloseTo(11 - Math.sqrt(97), 12);
  });

  it("takes a distance of one's own, also where the difference is 0", () => {
    const distance = (a: Tensor, b: Tensor) => a.sub(b).abs().max(-1);
    expect(tripletMargin(anchor, positive, negative, { ...none, distance }).toArray()).toEqual([3]);
    const gradient = grad((x: Tensor) => tripletMargin(x, x, x))(anchor);
    expect([...gradient.data()].every(Number.isFinite)).toBe(true);
  });

  it("names the argument that does not fit", () => {
    expect(() => tripletMargin(anchor, f64([[1]]), negative)).toThrow("anchor [1, 2] and positive [1, 1]");
    expect(() => tripletMargin(f64(1), f64(1), f64(1))).toThrow("expected vectors");
    expect(() => tripletMargin(anchor, positive, negative, { p: 0 })).toThrow("p must be more than 0");
  });
});
