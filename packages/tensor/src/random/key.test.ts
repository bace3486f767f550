import type { Tensor } from "@gradus/core";
import { axisIndex, calculus as c, constant, interpreter } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { applyOne } from "../apply.js";
import { key, tensor } from "../index.js";
import { generate } from "../ops/generate.js";
import { threefry } from "./threefry.js";

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

describe("threefry", () => {
  // Known answers of the Random123 library, threefry2x32 with 20 rounds.
  it.each([
    [
      [0, 0],
      [0, 0],
      ["6b200159", "99ba4efe"],
    ],
    [
      [-1, -1],
      [-1, -1],
      ["1cb996fc", "bb002be7"],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3 | 0],
      ["c4923a9c", "483df7a0"],
    ],
  ] as const)("of key %j and counter %j is %j", (k, counter, expected) => {
    const words = (
      pair: readonly [number, number],
    ): [ReturnType<typeof constant>, ReturnType<typeof constant>] => [
      constant(pair[0], "i32"),
      constant(pair[1], "i32"),
    ];
    const [x, y] = threefry(words(k), words(counter));
    const expr = c.where(c.equal(axisIndex(0), 0), x, y);
    const out = applyOne(generate, [], { name: `threefry ${k}`, shape: [2], expr, params: [] });
    expect(Array.from(out.data(), hex)).toEqual(expected);
  });
});

describe("key", () => {
  it("gives the same numbers for the same key and others for another", () => {
    const draw = (seed: number): unknown => key(seed).uniform([5]).toArray();
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(draw(2 ** 40)).not.toEqual(draw(0));
    expect(key(0).foldIn(1).uniform([5]).toArray()).not.toEqual(key(0).foldIn(2).uniform([5]).toArray());
    expect(key(0).foldIn(0).words.toArray()).not.toEqual(key(0).split(1)[0]?.words.toArray());
  });

  it("draws a prefix of the same stream, whatever the shape", () => {
    const long = key(9).normal([4, 25]).reshape([100]).slice([0, 10]);
    expect(key(9).normal([10]).toArray()).toEqual(long.toArray());
  });

  it("is the same in both modes of the interpreter", () => {
    const device = interpreter({ precision: "float32" });
    expect(key(1, { device }).uniform([1000]).toArray()).toEqual(key(1).uniform([1000]).toArray());
  });

  const moments = (x: Tensor): [number, number] => [x.mean().item(), x.std().item()];

  it("draws uniform numbers: mean 1/2, deviation 1/sqrt(12), within bounds", () => {
    const x = key(0).uniform([100000], { low: 2, high: 3 });
    const [mean, std] = moments(x);
    // Five standard errors of 100,000 draws.
    expect(Math.abs(mean - 2.5)).toBeLessThan(0.0046);
    expect(Math.abs(std - Math.sqrt(1 / 12))).toBeLessThan(0.003);
    expect(x.min().item()).toBeGreaterThanOrEqual(2);
    expect(x.max().item()).toBeLessThanOrEqual(3);
  });

  it.each(["f32", "f64"] as const)("draws normal numbers in %s: moments and tails", (dtype) => {
    const x = key(5).normal([100000], { dtype });
    const [mean, std] = moments(x);
    expect(Math.abs(mean)).toBeLessThan(0.016);
    expect(Math.abs(std - 1)).toBeLessThan(0.012);
    const beyond = x.abs().gt(1.959964).cast("f32").mean().item();
    expect(Math.abs(beyond - 0.05)).toBeLessThan(0.0035);
    expect(Math.abs(x.pow(3).mean().item())).toBeLessThan(0.062);
    // Neighbours are independent.
    const neighbours = x
      .slice([0, 99999])
      .mul(x.slice([1, 100000]))
      .mean()
      .item();
    expect(Math.abs(neighbours)).toBeLessThan(0.016);
  });

  it("permutes: every number once", () => {
    const values = key(2).permutation(1000).toArray() as number[];
    expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(values).not.toEqual([...values].sort((a, b) => a - b));
    expect(key(2).permutation(0).shape).toEqual([0]);
  });

  it("draws classes with their probabilities", () => {
    const logits = tensor([Math.log(0.5), Math.log(0.3), Math.log(0.2)]).expand([20000, 3]);
    const shares = key(7).categorical(logits).oneHot(3).cast("f32").mean(0).toArray() as number[];
    [0.5, 0.3, 0.2].forEach((p, i) => {
      expect(Math.abs((shares[i] as number) - p)).toBeLessThan(0.018);
    });
    expect(key(0).bernoulli(0.25, [40000]).cast("f32").mean().item()).toBeCloseTo(0.25, 1);
  });

  it("rejects what it cannot draw", () => {
    expect(() => key(0.5)).toThrow("key: the seed must be a whole number, got 0.5");
    expect(() => key(0).bernoulli(2, [1])).toThrow("key.bernoulli: p must be within 0 and 1, got 2");
    expect(() => key(0).uniform([2], { low: 1, high: 0 })).toThrow("low 1 must not exceed high 0");
    expect(() => key(0).normal([-1])).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => key(0).uniform([1], { dtype: "i32" })).toThrow(
      "key.uniform: expected f32, f64 or f16, got i32",
    );
    expect(() => key(0).split(0)).toThrow("key.split: the count must be at least 1, got 0");
  });
});
