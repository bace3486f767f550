import { gradcheck } from "@gradus/autograd";
import type { Layer, Tensor } from "@gradus/core";
import { compile, key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import {
  type Empty,
  elu,
  flatten,
  gelu,
  leakyRelu,
  logSoftmax,
  relu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from "./index.js";

const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "f64" });
const evaluate = (layer: Layer<Empty, Empty>, x: Tensor) => layer.apply({}, {}, x, { train: false })[0];

// The normal distribution function at 1 and 2, from tables.
const PHI_1 = 0.841344746068543;
const PHI_2 = 0.977249868051821;
const e = Math.exp;

describe.each<[string, Layer<Empty, Empty>, number[]]>([
  ["relu()", relu(), [0, 0, 2]],
  ["sigmoid()", sigmoid(), [1 / (1 + e(1)), 0.5, 1 / (1 + e(-2))]],
  ["tanh()", tanh(), [Math.tanh(-1), 0, Math.tanh(2)]],
  ["gelu()", gelu(), [-(1 - PHI_1), 0, 2 * PHI_2]],
  ["silu()", silu(), [-1 / (1 + e(1)), 0, 2 / (1 + e(-2))]],
  ["softplus()", softplus(), [Math.log1p(e(-1)), Math.LN2, Math.log1p(e(2))]],
  ["leakyRelu(0.01)", leakyRelu(), [-0.01, 0, 2]],
  ["leakyRelu(0.3)", leakyRelu(0.3), [-0.3, 0, 2]],
  ["elu(1)", elu(), [Math.expm1(-1), 0, 2]],
  ["elu(0.5)", elu(0.5), [0.5 * Math.expm1(-1), 0, 2]],
  ["softmax(-1)", softmax(), [e(-1), 1, e(2)].map((v) => v / (e(-1) + 1 + e(2)))],
  ["logSoftmax(-1)", logSoftmax(), [-1, 0, 2].map((v) => v - Math.log(e(-1) + 1 + e(2)))],
])("%s", (name, layer, want) => {
  it("computes its formula, eager and compiled", () => {
    const eager = evaluate(layer, f64([-1, 0, 2])).data();
    const replayed = compile((x: Tensor) => evaluate(layer, x))(f64([-1, 0, 2])).data();
    want.forEach((value, i) => {
      expect(eager[i]).toBeCloseTo(value, 12);
      expect(replayed[i]).toBeCloseTo(value, 12);
    });
  });

  it("passes gradcheck away from kinks", () => {
    gradcheck((x: Tensor) => evaluate(layer, x), f64([-1.3, 0.4, 2]));
  });

  it("is named after its call, and has nothing to learn", () => {
    expect(layer.name).toBe(name);
    expect(layer.init(key(0))).toEqual({ params: {}, state: {} });
  });
});

describe("softmax", () => {
  it("works along the axis that it is given", () => {
    const x = f64([
      [0, 1],
      [0, 1],
    ]);
    expect(evaluate(softmax(0), x).toArray()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(() => evaluate(softmax(2), x)).toThrow(expect.objectContaining({ code: "axis-out-of-range" }));
  });
});

describe("flatten", () => {
  it("joins all axes but the first, also of an empty batch", () => {
    expect(
      evaluate(
        flatten(),
        tensor([
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(evaluate(flatten(), tensor([1, 2])).shape).toEqual([2, 1]);
    const empty = tensor(new Float32Array(0), { shape: [0, 3, 2] });
    expect(evaluate(flatten(), empty).shape).toEqual([0, 6]);
  });

  it("refuses a tensor without axes", () => {
    expect(() => evaluate(flatten(), tensor(1))).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });
});

describe("options", () => {
  it("must be finite", () => {
    expect(() => leakyRelu(Number.NaN)).toThrow("leakyRelu: slope must be a finite number, got NaN");
    expect(() => elu(Infinity)).toThrow("elu: alpha must be a finite number, got Infinity");
  });
});
