import { grad, gradcheck } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { instanceNorm } from "./instance-norm.js";
import { localResponseNorm } from "./local-response-norm.js";
import { rmsNorm } from "./rms-norm.js";
import { standardize } from "./standardize.js";

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "f64" });
const x = (): Tensor =>
  f64([
    [
      [0.3, -1.2, 2.1],
      [1.4, 0.6, -0.7],
    ],
    [
      [0.2, 0.9, -0.4],
      [-1.1, 1.5, 0.8],
    ],
  ]);
const weighted = (y: Tensor): Tensor =>
  y.mul(
    tensor(
      Float64Array.from({ length: y.size }, (_, i) => 0.3 + ((i * 7) % 5)),
      { shape: y.shape },
    ),
  );

describe("standardize", () => {
  it.each([
    ["the last axis", [2], true],
    ["several axes", [0, 2], true],
    ["without a mean", [1, 2], false],
  ] as const)("over %s: first and second order", (_, axes, center) => {
    const f = (t: Tensor): Tensor => standardize(t, axes, 0.1, center);
    gradcheck(f, x());
    gradcheck((t: Tensor) => grad((u: Tensor) => weighted(f(u)).square().sum())(t), x(), { atol: 1e-4 });
  });

  it("has mean 0 and variance 1 in each row, also far from 0", () => {
    const y = standardize(x().add(1e6), [2], 0);
    for (const mean of y.mean(2).data()) expect(mean).toBeCloseTo(0, 6);
    for (const spread of y.var(2, { correction: 0 }).data()) expect(spread).toBeCloseTo(1, 6);
  });
});

describe("rmsNorm", () => {
  it("divides by the root of the mean square, and scales", () => {
    const layer = rmsNorm(2, { eps: 0 });
    const [y] = layer.apply({ weight: f64([1, 2]) }, {}, f64([3, 3]), { train: true });
    expect(y.toArray()).toEqual([1, 2]);
  });

  it("rejects what does not fit", () => {
    expect(() => rmsNorm(2).apply({ weight: f64([1, 1]) }, {}, f64([1, 2, 3]), { train: true })).toThrow(
      "rmsNorm(2): expected inputs [..., 2], got [3]",
    );
    expect(() => rmsNorm([])).toThrow("normalizedShape needs at least one size");
    expect(() => rmsNorm(2, { eps: -1 })).toThrow("eps must be at least 0");
  });
});

describe("instanceNorm", () => {
  it("normalises each channel of each sample", () => {
    const [y] = instanceNorm(2).apply({}, {}, x(), { train: true });
    for (const mean of y.mean(2).data()) expect(mean).toBeCloseTo(0, 12);
  });

  it("keeps running statistics where asked, and uses them in evaluation", () => {
    const layer = instanceNorm(2, { trackRunningStats: true, momentum: 0.5 });
    const { params, state } = layer.init(key(0));
    const [, next] = layer.apply(params, state, x().cast("f32"), { train: true });
    const means = x().mean(2).mean(0).mul(0.5);
    expect((next as { runningMean: Tensor }).runningMean.sub(means).abs().max().item()).toBeLessThan(1e-6);
    const [y] = layer.apply(params, state, x().cast("f32"), { train: false });
    expect(y.sub(x()).abs().max().item()).toBeLessThan(1e-4);
  });

  it("rejects a single value per channel", () => {
    expect(() => instanceNorm(1).apply({}, {}, f64([[[1]]]), { train: true })).toThrow("at least 2 values");
  });
});

describe("localResponseNorm", () => {
  it("divides by what neighbouring channels have, zeros beyond the ends", () => {
    const [y] = localResponseNorm(2, { alpha: 2, beta: 1, k: 1 }).apply({}, {}, f64([[[1], [2], [3]]]), {
      train: true,
    });
    // Channel c sees c - 1 and c: 1 + (0 + 1), 1 + (1 + 4), 1 + (4 + 9).
    expect([...y.data()]).toEqual([1 / 2, 2 / 6, 3 / 14].map((v) => expect.closeTo(v, 12)));
  });
});
