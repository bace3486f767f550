import { grad } from "@gradus/autograd";
import type { Key, Tensor } from "@gradus/core";
import { compile, key, ones, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { dropout } from "./index.js";

const train = (p: number, x: Tensor, k: Key) => dropout(p).apply({}, {}, x, { train: true, key: k })[0];

describe("dropout", () => {
  it("drops about p of the elements and scales the others by 1 / (1 - p)", () => {
    const y = train(0.2, ones([10_000]), key(0)).data();
    const dropped = y.filter((v) => v === 0).length;
    // Five standard deviations of a binomial distribution.
    expect(Math.abs(dropped - 2000)).toBeLessThan(5 * Math.sqrt(10_000 * 0.2 * 0.8));
    expect(new Set(y)).toEqual(new Set([0, 1.25]));
  });

  it("does the same for the same key, and something else for another", () => {
    const draw = (k: Key) => Array.from(train(0.5, ones([64]), k).data());
    expect(draw(key(1))).toEqual(draw(key(1)));
    expect(draw(key(1))).not.toEqual(draw(key(2)));
  });

  it("passes the gradient where it passed the value", () => {
    const f = (x: Tensor) => train(0.5, x, key(4));
    const gradient = grad((x: Tensor) => f(x).sum())(ones([64]));
    expect(gradient.toArray()).toEqual(f(ones([64])).toArray());
  });

  it("does nothing in evaluation, nor with p = 0, and drops all with p = 1", () => {
    const x = tensor([1, 2, 3]);
    expect(dropout(0.9).apply({}, {}, x, { train: false })[0]).toBe(x);
    expect(dropout(0).apply({}, {}, x, { train: true })[0]).toBe(x);
    expect(train(1, x, key(0)).toArray()).toEqual([0, 0, 0]);
  });

  it("draws new zeros on each call of a compiled function with another key", () => {
    const step = compile((x: Tensor, k: Key) => train(0.5, x, k));
    const draw = (seed: number) => Array.from(step(ones([64]), key(seed)).data());
    expect(draw(1)).toEqual(Array.from(train(0.5, ones([64]), key(1)).data()));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("refuses other probabilities, and training without a key", () => {
    for (const p of [-0.1, 1.5, Number.NaN]) {
      expect(() => dropout(p)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    }
    expect(() => dropout(0.5).apply({}, {}, tensor([1]), { train: true })).toThrow(
      "dropout(0.5): training needs randomness: pass { train: true, key }",
    );
  });
});
