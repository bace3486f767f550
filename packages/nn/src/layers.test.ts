import { gradcheck } from "@gradus/autograd";
import type { Layer, Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as nn from "./index.js";

const normal = (seed: number, shape: number[]) => key(seed).normal(shape, { dtype: "f64" });
const i32 = (values: number[] | number[][]) => tensor(values, { dtype: "i32" });
const run = <P>(layer: Layer<P, nn.Empty>, params: P, x: Tensor) =>
  layer.apply(params, {}, x, { train: true })[0];

describe.each<
  [string, Layer<Record<string, Tensor>, nn.Empty>, number[], Record<string, number[]>, number[]]
>([
  ["conv1d(2, 3, 2)", nn.conv1d(2, 3, 2) as never, [2, 2, 4], { weight: [3, 2, 2], bias: [3] }, [2, 3, 3]],
  [
    "conv2d(2, 4, 3)",
    nn.conv2d(2, 4, 3, { groups: 2, padding: 1, stride: 2 }) as never,
    [2, 4, 4],
    { weight: [4, 1, 3, 3], bias: [4] },
    [4, 2, 2],
  ],
  [
    "conv3d(1, 2, [1, 2, 2])",
    nn.conv3d(1, 2, [1, 2, 2]) as never,
    [1, 1, 2, 2, 3],
    { weight: [2, 1, 1, 2, 2], bias: [2] },
    [1, 2, 2, 1, 2],
  ],
  ["maxPool1d(2)", nn.maxPool1d(2) as never, [2, 2, 4], {}, [2, 2, 2]],
  ["maxPool2d([2, 1])", nn.maxPool2d([2, 1]) as never, [1, 2, 4, 3], {}, [1, 2, 2, 3]],
  ["avgPool1d(2)", nn.avgPool1d(2, { stride: 1 }) as never, [2, 2, 4], {}, [2, 2, 3]],
  ["avgPool2d(2)", nn.avgPool2d(2) as never, [1, 2, 4, 4], {}, [1, 2, 2, 2]],
  ["adaptiveAvgPool2d([2, 1])", nn.adaptiveAvgPool2d([2, 1]) as never, [1, 2, 3, 4], {}, [1, 2, 2, 1]],
  [
    "layerNorm([2, 3])",
    nn.layerNorm([2, 3]) as never,
    [2, 2, 3],
    { weight: [2, 3], bias: [2, 3] },
    [2, 2, 3],
  ],
  ["groupNorm(2, 4)", nn.groupNorm(2, 4) as never, [2, 4, 2], { weight: [4], bias: [4] }, [2, 4, 2]],
])("%s", (name, layer, input, shapes, output) => {
  const params = Object.fromEntries(Object.entries(shapes).map(([k, shape], i) => [k, normal(i + 1, shape)]));
  const x = normal(9, input);

  it("has its name, its parameters' shapes and its output's", () => {
    expect(layer.name).toBe(name);
    const own = layer.init(key(0)).params;
    expect(Object.fromEntries(Object.entries(own).map(([k, value]) => [k, value.shape]))).toEqual(shapes);
    expect(run(layer, params, x).shape).toEqual(output);
  });

  it("passes gradcheck by input and parameters, and is the same compiled", () => {
    gradcheck(({ p, v }) => run(layer, p, v), { p: params, v: x });
    const replayed = compile((p: typeof params, v: Tensor) => run(layer, p, v))(params, x).data();
    run(layer, params, x)
      .data()
      .forEach((value, i) => {
        expect(replayed[i]).toBeCloseTo(value, 12);
      });
  });

  it("refuses inputs of another shape, naming itself", () => {
    const wrong = () => run(layer, params, tensor(1));
    expect(wrong).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(wrong).toThrow(`${name}: expected inputs [`);
  });
});

describe("values", () => {
  it("conv2d is a sum over its window, plus the bias", () => {
    const params = {
      weight: tensor([
        [
          [
            [1, 10],
            [100, 1000],
          ],
        ],
      ]),
      bias: tensor([0.5]),
    };
    expect(
      run(
        nn.conv2d(1, 1, 2),
        params,
        tensor([
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ]),
      ).toArray(),
    ).toEqual([[[5421.5, 6532.5]]]);
  });

  it("conv2d begins uniform in +-1 / sqrt(inputs / groups * window)", () => {
    const { weight, bias } = nn.conv2d(8, 400, 5, { groups: 2 }).init(key(0)).params;
    for (const x of [weight, bias]) {
      expect(x.abs().max().item()).toBeLessThanOrEqual(0.1);
      expect(x.abs().max().item()).toBeGreaterThan(0.098);
    }
    expect(nn.conv2d(1, 1, 1, { bias: false }).init(key(0)).params.bias).toBeUndefined();
  });

  it("layerNorm and groupNorm standardise with the biased variance", () => {
    const x = tensor([[1, 3, 10, 30]], { dtype: "f64" });
    const bare = run(nn.layerNorm(4, { affine: false, eps: 0 }), {}, x);
    expect(bare.mean().item()).toBeCloseTo(0, 12);
    expect(bare.square().mean().item()).toBeCloseTo(1, 12);
    const grouped = run(nn.groupNorm(2, 4, { affine: false, eps: 0 }), {}, x).data();
    [-1, 1, -1, 1].forEach((value, i) => {
      expect(grouped[i]).toBeCloseTo(value, 12);
    });
  });
});

describe("embedding", () => {
  const layer = nn.embedding(3, 2);
  const weight = normal(1, [3, 2]);

  it("looks up rows for indices of any shape, eager and compiled, and passes gradcheck", () => {
    const index = i32([
      [2, 0],
      [2, 2],
    ]);
    const y = run(layer, { weight }, index);
    expect(y.shape).toEqual([2, 2, 2]);
    const rows = weight.toArray() as number[][];
    expect(y.reshape([4, 2]).toArray()).toEqual([rows[2], rows[0], rows[2], rows[2]]);
    expect(compile((w: Tensor, i: Tensor) => run(layer, { weight: w }, i))(weight, index).toArray()).toEqual(
      y.toArray(),
    );
    gradcheck((w: Tensor) => run(layer, { weight: w }, index), weight);
  });

  it("begins normal, and refuses fractions and rows that it does not have", () => {
    expect(nn.embedding(100, 100).init(key(0)).params.weight.std().item()).toBeCloseTo(1, 1);
    expect(() => run(layer, { weight }, tensor([1]))).toThrow(
      expect.objectContaining({ code: "dtype-mismatch" }),
    );
    expect(() => run(layer, { weight }, i32([3])).data()).toThrow(
      expect.objectContaining({ code: "index-out-of-range" }),
    );
  });
});

it("options out of range are refused when the layer is made", () => {
  expect(() => nn.conv2d(3, 4, 3, { groups: 2 })).toThrow("groups must divide the 3 inputs");
  expect(() => nn.conv1d(1, 1, 0)).toThrow("conv1d: kernelSize must be a whole number of at least 1, got 0");
  expect(() => nn.conv2d(1, 1, 3, { padding: "same", stride: 2 })).toThrow("needs a stride of 1");
  expect(() => nn.maxPool2d(2, { padding: 2 })).toThrow(
    "maxPool2d: padding must be at most half of kernelSize 2",
  );
  expect(() => nn.groupNorm(3, 4)).toThrow("groups must divide the 4 channels, got 3");
  expect(() => nn.layerNorm([])).toThrow("at least one size");
});

it("the types of parameters follow from the options", () => {
  expectTypeOf(nn.conv2d(1, 1, 1)).toEqualTypeOf<Layer<nn.ConvParams, nn.Empty>>();
  expectTypeOf(nn.conv2d(1, 1, 1, { bias: false })).toEqualTypeOf<
    Layer<nn.ConvParamsWithoutBias, nn.Empty>
  >();
  expectTypeOf(nn.layerNorm(1)).toEqualTypeOf<Layer<nn.NormParams, nn.Empty>>();
  expectTypeOf(nn.embedding(1, 1)).toEqualTypeOf<Layer<nn.EmbeddingParams, nn.Empty>>();
});
