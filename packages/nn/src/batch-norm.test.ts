import { grad, gradcheck, valueAndGrad } from "@gradus/autograd";
import { type Layer, mapTree, type Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type BatchNormOptions, type BatchNormParams, type BatchNormState, batchNorm } from "./index.js";

const f64 = (values: number[] | number[][] | number[][][]) => tensor(values, { dtype: "f64" });

/** Parameters and state in f64. */
function start(
  features: number,
  options: BatchNormOptions & { affine?: true; trackRunningStats?: true } = {},
) {
  const layer = batchNorm(features, options);
  return { layer, ...mapTree(layer.init(key(0)), (x) => x.cast("f64")) };
}

const x = [
  [1, 10],
  [2, 30],
  [6, 20],
];
// Of the columns: means 3 and 20, biased variances 14/3 and 200/3, unbiased ones 7 and 100.
const means = [3, 20];
const biased = [14 / 3, 200 / 3];
const unbiased = [7, 100];

describe("batchNorm in training", () => {
  it("normalises by the batch's mean and biased variance, then scales and shifts", () => {
    const { layer, state } = start(2);
    const params = { weight: f64([2, 3]), bias: f64([-1, 1]) };
    const y = layer.apply(params, state, f64(x), { train: true })[0].toArray() as number[][];
    x.forEach((row, n) => {
      row.forEach((value, c) => {
        const normalized = (value - (means[c] as number)) / Math.sqrt((biased[c] as number) + 1e-5);
        const want = c === 0 ? 2 * normalized - 1 : 3 * normalized + 1;
        expect(y[n]?.[c]).toBeCloseTo(want, 12);
      });
    });
  });

  it("moves the running mean and the unbiased running variance by its momentum", () => {
    const { layer, params, state } = start(2, { momentum: 0.3 });
    const [, once] = layer.apply(params, state, f64(x), { train: true });
    const [, twice] = layer.apply(params, once, f64(x), { train: true });
    [0, 1].forEach((c) => {
      const mean = means[c] as number;
      const variance = unbiased[c] as number;
      expect(once.runningMean.data()[c]).toBeCloseTo(0.3 * mean, 13);
      expect(once.runningVar.data()[c]).toBeCloseTo(0.7 + 0.3 * variance, 13);
      expect(twice.runningMean.data()[c]).toBeCloseTo(0.7 * 0.3 * mean + 0.3 * mean, 13);
    });
  });

  it("averages all batches alike with momentum null", () => {
    const { layer, params, state } = start(1, { momentum: null });
    const batches = [
      [[0], [2]],
      [[4], [8]],
      [[3], [3]],
    ];
    const step = (s: typeof state, batch: Tensor) => layer.apply(params, s, batch, { train: true })[1];
    for (const run of [step, compile(step)]) {
      let current = state;
      for (const batch of batches) current = run(current, f64(batch));
      expect(current.count?.value).toBe(3);
      expect(current.runningMean.item()).toBeCloseTo((1 + 6 + 3) / 3, 13);
      expect(current.runningVar.item()).toBeCloseTo((2 + 8 + 0) / 3, 13);
    }
  });

  it("takes the statistics over all axes but the channels", () => {
    const { layer, params, state } = start(2);
    // [2, 2, 2]: sample, channel, position
    const images = f64([
      [
        [1, 3],
        [0, 0],
      ],
      [
        [5, 7],
        [4, 4],
      ],
    ]);
    const [y, next] = layer.apply(params, state, images, { train: true });
    expect(next.runningMean.data()[0]).toBeCloseTo(0.4, 13);
    expect(next.runningMean.data()[1]).toBeCloseTo(0.2, 13);
    expect(y.data()[0]).toBeCloseTo(-3 / Math.sqrt(5 + 1e-5), 13);
    expect(y.data()[2]).toBeCloseTo(-2 / Math.sqrt(4 + 1e-5), 13);
  });

  it("passes gradcheck by input, weight and bias", () => {
    const { layer, state } = start(2);
    const inputs = {
      x: f64([
        [1, -0.5],
        [2, 0.3],
        [-0.7, 1.1],
      ]),
      p: { weight: f64([0.5, 2]), bias: f64([0.1, -0.4]) },
    };
    gradcheck(({ x: input, p }) => layer.apply(p, state, input, { train: true })[0], inputs);
  });

  it("lets no gradient into the running statistics", () => {
    const { layer, params, state } = start(2);
    const [, , next] = valueAndGrad((p: BatchNormParams) => {
      const [y, after] = layer.apply(p, state, f64(x), { train: true });
      return [y.square().sum(), after];
    })(params);
    expect(next.runningMean.history).toBeUndefined();
    const through = grad((input: Tensor) =>
      layer.apply(params, state, input, { train: true })[1].runningVar.sum(),
    );
    expect(() => through(f64(x))).not.toThrow();
    expect(Array.from(through(f64(x)).data())).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("needs two values per channel", () => {
    const { layer, params, state } = start(2);
    const single = () => layer.apply(params, state, f64([[1, 2]]), { train: true });
    expect(single).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(single).toThrow("batchNorm(2): training needs at least 2 values per channel, got inputs [1, 2]");
    expect(
      layer.apply(
        params,
        state,
        f64([
          [
            [1, 3],
            [2, 3],
          ],
        ]),
        { train: true },
      )[0].shape,
    ).toEqual([1, 2, 2]);
  });
});

describe("batchNorm in evaluation", () => {
  it("uses the running statistics and leaves them alone", () => {
    const { layer, params } = start(2, { eps: 0 });
    const state = { runningMean: f64([1, 2]), runningVar: f64([4, 25]) };
    const [y, next] = layer.apply(params, state, f64([[3, -3]]), { train: false });
    expect(y.data()[0]).toBeCloseTo(1, 14);
    expect(y.data()[1]).toBeCloseTo(-1, 14);
    expect(next).toBe(state);
  });

  it("uses the batch's where none are kept", () => {
    const layer = batchNorm(1, { trackRunningStats: false, affine: false });
    const { params, state } = layer.init(key(0));
    expect([params, state]).toEqual([{}, {}]);
    const batch = f64([[1], [3]]);
    const [evaluated, next] = layer.apply(params, state, batch, { train: false });
    const [trained] = layer.apply(params, state, batch, { train: true });
    expect(evaluated.toArray()).toEqual(trained.toArray());
    expect(evaluated.data()[0]).toBeCloseTo(-1, 4);
    expect(next).toBe(state);
  });
});

describe("batchNorm", () => {
  it("begins with weight 1, bias 0, mean 0 and variance 1", () => {
    const { params, state } = batchNorm(2).init(key(0));
    expect([params.weight.toArray(), params.bias.toArray()]).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect([state.runningMean.toArray(), state.runningVar.toArray()]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(Object.keys(state)).toEqual(["runningMean", "runningVar"]);
  });

  it("is the same compiled, state included", () => {
    const layer = batchNorm(2);
    const { params, state } = layer.init(key(0));
    const step = (s: BatchNormState, input: Tensor) => layer.apply(params, s, input, { train: true });
    const [y, next] = step(state, tensor(x));
    const [replayed, after] = compile(step)(state, tensor(x));
    y.data().forEach((value, i) => {
      expect(replayed.data()[i]).toBeCloseTo(value, 5);
    });
    expect(after.runningVar.data()[1]).toBeCloseTo(next.runningVar.data()[1] as number, 5);
  });

  it("refuses inputs, statistics and options that do not fit", () => {
    const layer = batchNorm(3);
    const { params, state } = layer.init(key(0));
    const apply = (input: Tensor, s = state) => layer.apply(params, s, input, { train: true });
    expect(() => apply(tensor(x))).toThrow("batchNorm(3): expected inputs [N, 3] or [N, 3, ...], got [3, 2]");
    expect(() => apply(tensor([1, 2, 3]))).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    const four = batchNorm(4).init(key(0)).state;
    expect(() =>
      apply(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        four,
      ),
    ).toThrow("runningMean must have shape [3], got [4]");
    expect(() => batchNorm(0)).toThrow("batchNorm: features must be a whole number of at least 1");
    expect(() => batchNorm(1, { eps: -1 })).toThrow("batchNorm: eps must be at least 0");
    expect(() => batchNorm(1, { momentum: 1.5 })).toThrow("batchNorm: momentum must be in [0, 1], or null");
  });

  it("has types that know its parameters", () => {
    expectTypeOf(batchNorm(2)).toEqualTypeOf<Layer<BatchNormParams, BatchNormState>>();
    expectTypeOf(batchNorm(2, { momentum: null })).toEqualTypeOf<Layer<BatchNormParams, BatchNormState>>();
  });
});
