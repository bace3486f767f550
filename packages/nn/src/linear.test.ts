import { gradcheck } from "@gradus/autograd";
import type { Layer, Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type Empty, heNormal, type LinearParams, type LinearParamsWithoutBias, linear } from "./index.js";

const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "f64" });

describe("linear", () => {
  const layer = linear(3, 2);
  const params = {
    weight: tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    bias: tensor([10, 20]),
  };
  const apply = (x: Tensor) => layer.apply(params, {}, x, { train: true })[0];

  it("is x weight^T + bias, for any leading axes", () => {
    expect(
      apply(
        tensor([
          [1, 0, 0],
          [0, 1, 1],
        ]),
      ).toArray(),
    ).toEqual([
      [11, 24],
      [15, 31],
    ]);
    expect(apply(tensor([1, 1, 1])).toArray()).toEqual([16, 35]);
    expect(apply(tensor([[[1, 1, 1]], [[0, 0, 0]]])).toArray()).toEqual([[[16, 35]], [[10, 20]]]);
    expect(compile(apply)(tensor([[1, 0, 0]])).toArray()).toEqual([[11, 24]]);
  });

  it("has PyTorch's layout and range: [out, in], uniform in +-1 / sqrt(in)", () => {
    const { weight, bias } = linear(100, 400).init(key(0)).params;
    expect([weight.shape, bias.shape]).toEqual([[400, 100], [400]]);
    for (const x of [weight, bias]) {
      expect(x.abs().max().item()).toBeLessThanOrEqual(0.1);
      expect(x.abs().max().item()).toBeGreaterThan(0.099);
      expect(Math.abs(x.mean().item())).toBeLessThan(0.01);
    }
  });

  it("begins differently for another key, and the same for the same", () => {
    const first = (seed: number) => Array.from(layer.init(key(seed)).params.weight.data());
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it("takes another initialiser for the weight, and none of the bias", () => {
    const { params: own } = linear(50, 200, { init: heNormal, bias: false }).init(key(3));
    expect(own.bias).toBeUndefined();
    expect(own.weight.std().item()).toBeCloseTo(0.2, 1);
    const bare = linear(3, 2, { bias: false });
    const [y] = bare.apply({ weight: params.weight }, {}, tensor([1, 1, 1]), { train: false });
    expect(y.toArray()).toEqual([6, 15]);
  });

  it("passes gradcheck by weight, bias and input", () => {
    const inputs = {
      p: {
        weight: f64([
          [0.1, -0.2, 0.3],
          [0.5, 0.4, -0.6],
        ]),
        bias: f64([0.7, -0.8]),
      },
      x: f64([
        [1, 2, -1],
        [0.5, -0.3, 2],
      ]),
    };
    gradcheck(({ p, x }) => layer.apply(p, {}, x, { train: true })[0], inputs);
  });

  it("refuses inputs of another size, naming itself", () => {
    const wrong = () => apply(tensor([[1, 2, 3, 4]]));
    expect(wrong).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(wrong).toThrow("linear(3, 2): expected inputs [..., 3], got [1, 4]");
    expect(() => apply(tensor(1))).toThrow("linear(3, 2): expected inputs [..., 3], got []");
  });

  it("refuses sizes that are not whole numbers of at least 1", () => {
    expect(() => linear(0, 2)).toThrow("linear: inputs must be a whole number of at least 1, got 0");
    expect(() => linear(2, 1.5)).toThrow("linear: outputs must be a whole number of at least 1, got 1.5");
  });

  it("knows from its options whether there is a bias", () => {
    expectTypeOf(linear(3, 2)).toEqualTypeOf<Layer<LinearParams, Empty>>();
    expectTypeOf(linear(3, 2, { init: heNormal })).toEqualTypeOf<Layer<LinearParams, Empty>>();
    expectTypeOf(linear(3, 2, { bias: false })).toEqualTypeOf<Layer<LinearParamsWithoutBias, Empty>>();
  });
});
