import type { Tensor } from "@gradus/core";
import { key } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { glorotNormal, glorotUniform, heNormal, heUniform, lecunNormal, lecunUniform } from "../index.js";

// [outputs, inputs, window]: fan-in 50 * 3 = 150, fan-out 40 * 3 = 120, as PyTorch counts them.
const shape = [40, 50, 3];

describe.each<[string, (k: ReturnType<typeof key>, s: readonly number[]) => Tensor, number, boolean]>([
  ["glorotUniform", glorotUniform, Math.sqrt(2 / 270), true],
  ["glorotUniform with gain 2", (k, s) => glorotUniform(k, s, { gain: 2 }), 2 * Math.sqrt(2 / 270), true],
  ["glorotNormal", glorotNormal, Math.sqrt(2 / 270), false],
  ["heUniform", heUniform, Math.sqrt(2 / 150), true],
  ["heUniform by fan-out", (k, s) => heUniform(k, s, { mode: "fanOut" }), Math.sqrt(2 / 120), true],
  ["heUniform with slope 2", (k, s) => heUniform(k, s, { slope: 2 }), Math.sqrt(2 / 5 / 150), true],
  ["heNormal", heNormal, Math.sqrt(2 / 150), false],
  ["heNormal by fan-out", (k, s) => heNormal(k, s, { mode: "fanOut" }), Math.sqrt(2 / 120), false],
  ["lecunUniform", lecunUniform, Math.sqrt(1 / 150), true],
  ["lecunNormal", lecunNormal, Math.sqrt(1 / 150), false],
])("%s", (_, initializer, std, uniform) => {
  const values = initializer(key(7), shape);

  it("has the shape, mean 0 and the standard deviation of its formula", () => {
    expect(values.shape).toEqual(shape);
    // Five standard errors: of a mean std / sqrt(n), of a standard deviation about std / sqrt(2 n).
    expect(Math.abs(values.mean().item())).toBeLessThan((5 * std) / Math.sqrt(values.size));
    expect(Math.abs(values.std().item() - std)).toBeLessThan((5 * std) / Math.sqrt(2 * values.size));
  });

  it("is uniform, or normal", () => {
    const greatest = values.abs().max().item() / std;
    if (uniform) {
      expect(greatest).toBeLessThanOrEqual(Math.sqrt(3) + 1e-6);
      expect(greatest).toBeGreaterThan(Math.sqrt(3) * 0.99);
    } else {
      expect(greatest).toBeGreaterThan(3);
    }
  });

  it("is the same for the same key, and another for another", () => {
    expect(initializer(key(7), shape).toArray()).toEqual(values.toArray());
    expect(initializer(key(8), shape).toArray()).not.toEqual(values.toArray());
  });

  it("refuses fewer than two axes", () => {
    expect(() => initializer(key(0), [3])).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(() => initializer(key(0), [3])).toThrow("a weight has at least two axes");
  });
});

describe("options of initialisers", () => {
  it("are checked", () => {
    const mode = "fan_in" as "fanIn";
    expect(() => heNormal(key(0), [2, 2], { mode })).toThrow(
      'heNormal: mode must be "fanIn" or "fanOut", got "fan_in"',
    );
    expect(() => heUniform(key(0), [2, 2], { slope: Number.NaN })).toThrow(
      "heUniform: slope must be a finite number",
    );
    expect(() => glorotUniform(key(0), [2, 2], { gain: Infinity })).toThrow(
      "glorotUniform: gain must be a finite number",
    );
    expect(() => glorotNormal(key(0), [2, 2], { gain: Number.NaN })).toThrow("glorotNormal: gain must be");
  });
});
