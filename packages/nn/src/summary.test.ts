import { key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { countParameters, linear, relu, sequential, summary } from "./index.js";

describe("countParameters", () => {
  it("adds up the sizes of all tensors", () => {
    const model = sequential(linear(64, 32), relu(), linear(32, 10));
    expect(countParameters(model.init(key(0)).params)).toBe(64 * 32 + 32 + 32 * 10 + 10);
    expect(countParameters({ a: tensor(1), b: [tensor([[1, 2]])], name: "x" })).toBe(3);
    expect(countParameters({})).toBe(0);
  });
});

describe("summary", () => {
  it("lists each parameter with its path, shape and size, and their number", () => {
    const model = sequential(linear(64, 32), relu());
    expect(summary(model, model.init(key(0)).params).split("\n")).toEqual([
      "sequential(linear(64, 32), relu())",
      "0.weight  f32[32, 64]  2048",
      "0.bias    f32[32]        32",
      "2080 parameters",
    ]);
  });

  it("of a model without parameters is two lines", () => {
    expect(summary(relu(), {})).toBe("relu()\n0 parameters");
  });
});
