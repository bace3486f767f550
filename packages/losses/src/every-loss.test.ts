import { grad, gradcheck } from "@gradus/autograd";
import type { NestedArray, Reduction, Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import * as losses from "./index.js";

interface Options {
  readonly reduction?: Reduction;
  readonly sampleWeight?: Tensor;
  readonly validate?: boolean;
}

interface Subject {
  readonly call: (inputs: readonly Tensor[], options: Options) => Tensor;
  /** What the loss is differentiated by, away from kinks. */
  readonly inputs: readonly NestedArray[];
  /** The same at the greatest values of f32 that a network may produce. */
  readonly extreme: readonly NestedArray[];
}

const i32 = (values: NestedArray): Tensor => tensor(values, { dtype: "i32" });
const signs = tensor([
  [1, -1],
  [-1, 1],
]);
const pairSigns = tensor([1, -1]);
const binary = tensor([
  [1, 0],
  [0, 1],
]);
const scores = [
  [0.31, -1.2, 0.7],
  [2.5, 0.13, -0.4],
];
const numbers = [
  [0.31, -1.2],
  [2.5, 0.13],
];
const others = [
  [0.9, 0.62],
  [-0.7, 2.05],
];
const large = [
  [1e4, -1e4],
  [-1e4, 1e4],
];
const zeros = [
  [0, 0],
  [0, 0],
];
const largeScores = [
  [1e4, -1e4, 0],
  [-1e4, 1e4, 1e4],
];
const probabilities = [
  [0.2, 0.7],
  [0.9, 0.4],
];
const certain = [
  [0, 1],
  [1, 0],
];

type Two = (a: Tensor, b: Tensor, options?: Options) => Tensor;
const regression = (loss: Two): Subject => ({
  call: ([p, t], options) => loss(p as Tensor, t as Tensor, options),
  inputs: [numbers, others],
  extreme: [large, zeros],
});
const against = (loss: Two, target: Tensor, inputs: NestedArray, extreme: NestedArray): Subject => ({
  call: ([x], options) => loss(x as Tensor, target, options),
  inputs: [inputs],
  extreme: [extreme],
});

const subjects: Readonly<Record<string, Subject>> = {
  l1: regression(losses.l1),
  smoothL1: regression(losses.smoothL1),
  "smoothL1 of beta 0.3": regression((p, t, o) => losses.smoothL1(p, t, { ...o, beta: 0.3 })),
  huber: regression(losses.huber),
  logCosh: regression(losses.logCosh),
  quantile: regression((p, t, o) => losses.quantile(p, t, { ...o, q: 0.8 })),
  nll: against(losses.nll, i32([2, 0]), scores, largeScores),
  "nll with weights": against(
    (p, t, o) => losses.nll(p, t, { ...o, weight: tensor([1, 2, 0.5]) }),
    i32([2, 0]),
    scores,
    largeScores,
  ),
  klDiv: {
    call: ([p, t], options) => losses.klDiv(p as Tensor, t as Tensor, options),
    inputs: [numbers, probabilities],
    extreme: [large, certain],
  },
  "klDiv of logarithms": {
    call: ([p, t], options) => losses.klDiv(p as Tensor, t as Tensor, { ...options, logTarget: true }),
    inputs: [numbers, others],
    extreme: [
      large,
      [
        [0, -1e4],
        [-1e4, 0],
      ],
    ],
  },
  poissonNLL: {
    call: ([x], options) => losses.poissonNLL(x as Tensor, tensor(certain), { ...options, full: true }),
    inputs: [numbers],
    // The exponential of 10,000 is infinite, and rightly so.
    extreme: [
      [
        [80, -1e4],
        [-1e4, 80],
      ],
    ],
  },
  "poissonNLL of rates": {
    call: ([x, t], options) =>
      losses.poissonNLL(x as Tensor, t as Tensor, { ...options, logInput: false, full: true }),
    inputs: [
      probabilities,
      [
        [3, 0.5],
        [0.25, 2.5],
      ],
    ],
    extreme: [
      [
        [0, 1e4],
        [1e4, 0],
      ],
      [
        [0, 1e4],
        [0, 0],
      ],
    ],
  },
  gaussianNLL: {
    call: ([p, t, v], options) =>
      losses.gaussianNLL(p as Tensor, t as Tensor, v as Tensor, { ...options, full: true }),
    inputs: [numbers, others, probabilities],
    extreme: [large, zeros, zeros],
  },
  hinge: against(losses.hinge, signs, numbers, large),
  "hinge squared": against((p, t, o) => losses.hinge(p, t, { ...o, p: 2 }), signs, numbers, large),
  hingeEmbedding: against(losses.hingeEmbedding, signs, numbers, large),
  cosineEmbedding: {
    call: ([a, b], options) => losses.cosineEmbedding(a as Tensor, b as Tensor, pairSigns, options),
    inputs: [numbers, others],
    extreme: [large, zeros],
  },
  marginRanking: {
    call: ([a, b], options) => losses.marginRanking(a as Tensor, b as Tensor, signs, options),
    inputs: [numbers, others],
    extreme: [large, zeros],
  },
  tripletMargin: {
    call: ([a, p, n], options) =>
      losses.tripletMargin(a as Tensor, p as Tensor, n as Tensor, { ...options, swap: true }),
    inputs: [
      numbers,
      others,
      [
        [0.2, -0.9],
        [2.2, 0.5],
      ],
    ],
    extreme: [large, large, zeros],
  },
  multiMargin: against(losses.multiMargin, i32([1, 0]), scores, largeScores),
  "multiMargin squared, with weights": against(
    (p, t, o) => losses.multiMargin(p, t, { ...o, p: 2, margin: 0.5, weight: tensor([1, 2, 0.5]) }),
    i32([1, 0]),
    scores,
    largeScores,
  ),
  multiLabelMargin: against(
    losses.multiLabelMargin,
    i32([
      [1, -1, 0],
      [2, 0, -1],
    ]),
    scores,
    largeScores,
  ),
  multiLabelSoftMargin: against(losses.multiLabelSoftMargin, binary, numbers, large),
  softMargin: against(losses.softMargin, signs, numbers, large),
  focal: against(losses.focal, binary, numbers, large),
  "focal of gamma 0.5": against(
    (p, t, o) => losses.focal(p, t, { ...o, gamma: 0.5 }),
    binary,
    numbers,
    large,
  ),
  dice: {
    call: ([p, t], options) => losses.dice(p as Tensor, t as Tensor, options),
    inputs: [probabilities, probabilities.map((row) => row.map((p) => 1 - p))],
    extreme: [certain, zeros],
  },
  tversky: {
    call: ([p, t], options) => losses.tversky(p as Tensor, t as Tensor, { ...options, alpha: 0.3 }),
    inputs: [probabilities, probabilities.map((row) => row.map((p) => 1 - p))],
    extreme: [certain, zeros],
  },
  infoNCE: {
    call: ([q, k], options) => losses.infoNCE(q as Tensor, k as Tensor, { ...options, symmetric: true }),
    inputs: [numbers, others],
    extreme: [large, zeros],
  },
  ntXent: {
    call: ([a, b], options) => losses.ntXent(a as Tensor, b as Tensor, options),
    inputs: [numbers, others],
    extreme: [large, zeros],
  },
  heteroscedastic: {
    call: ([p, t], options) => losses.heteroscedastic(p as Tensor, t as Tensor, { ...options, full: true }),
    inputs: [numbers, [0.4, 2]],
    extreme: [[...large, [0, -1e4], [1, 1e4]], zeros.flat()],
  },
  evidential: {
    call: ([p, t], options) => losses.evidential(p as Tensor, t as Tensor, { ...options, lambda: 0.1 }),
    inputs: [
      [
        [0.31, -1.2, 0.7, 0.4],
        [2.5, 0.13, 9.5, -0.8],
      ],
      [0.4, 2],
    ],
    extreme: [
      Array.from({ length: 16 }, (_, i) => [1e4, ...[4, 2, 1].map((bit) => ((i & bit) > 0 ? 1e4 : -1e4))]),
      Array.from({ length: 16 }, (_, i) => (i < 8 ? 1e4 : 0)),
    ],
  },
  tobit: {
    call: ([p, t], options) => losses.tobit(p as Tensor, t as Tensor, { ...options, lower: -1, upper: 1 }),
    inputs: [
      [
        [
          [0.31, -1.2],
          [0.4, 0.2],
          [15.2, 0.1],
        ],
        [
          [2.5, 0.13],
          [-0.3, -0.6],
          [0.7, 0.4],
        ],
      ],
      // Below, at and between the bounds, away from the places where differences would cross them.
      [
        [0.5, -3, -2],
        [2, 3, -0.5],
      ],
    ],
    extreme: [
      [
        [1e4, -1e4],
        [1e4, 1e4],
        [-1e4, -1e4],
        [-1e4, 1e4],
        [1e4, 0],
        [-1e4, 0],
        [1e4, -1e4],
        [1e4, 1e4],
        [-1e4, -1e4],
        [-1e4, 1e4],
        [1e4, 0],
        [-1e4, 0],
      ],
      [1, 1, 1, 1, 1, 1, -1, -1, -1, -1, 0, 0],
    ],
  },
  coral: against(losses.coral, i32([3, 1]), scores, largeScores),
  "coral with weights": against(
    (p, t, o) => losses.coral(p, t, { ...o, weight: tensor([1, 2, 0.5]) }),
    i32([0, 2]),
    scores,
    largeScores,
  ),
  corn: against(losses.corn, i32([3, 1]), scores, largeScores),
  wasserstein1d: regression(losses.wasserstein1d),
  "wasserstein1d, squared": regression((p, t, o) => losses.wasserstein1d(p, t, { ...o, p: 2 })),
  "wasserstein1d of different numbers of samples": {
    call: ([p, t], options) => losses.wasserstein1d(p as Tensor, t as Tensor, options),
    inputs: [scores, others],
    extreme: [largeScores, zeros],
  },
  earthMover: {
    call: ([p, t], options) => losses.earthMover(p as Tensor, t as Tensor, options),
    inputs: [probabilities, probabilities.map((row) => row.map((p) => 1 - p))],
    extreme: [certain, zeros],
  },
  "earthMover, squared, of bins anywhere": {
    call: ([p, t], options) =>
      losses.earthMover(p as Tensor, t as Tensor, { ...options, p: 2, positions: tensor([1, 4]) }),
    inputs: [probabilities, probabilities.map((row) => row.map((p) => 1 - p))],
    extreme: [certain, zeros],
  },
  ctc: {
    call: ([x], options) =>
      losses.ctc(
        (x as Tensor).logSoftmax(-1),
        i32([
          [1, 1],
          [2, 0],
        ]),
        i32([4, 3]),
        i32([2, 1]),
        options,
      ),
    inputs: [[scores, scores.map((row) => row.map((x) => -x)), scores, scores]],
    extreme: [[largeScores, largeScores, largeScores, largeScores]],
  },
};

const as = (dtype: "f32" | "f64", inputs: readonly NestedArray[]): Tensor[] =>
  inputs.map((values) => tensor(values, { dtype }));

const close = (got: ArrayLike<number>, want: ArrayLike<number>): void => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < got.length; i++) {
    const [g, w] = [got[i] as number, want[i] as number];
    expect(Math.abs(g - w)).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(w));
  }
};

describe.each(Object.entries(subjects))("%s", (_, { call, inputs, extreme }) => {
  it("passes gradcheck by inputs and sample weights, for every reduction", () => {
    const given = { x: as("f64", inputs), weight: tensor([0.5, 2], { dtype: "f64" }) };
    for (const reduction of ["none", "sum", "mean"] as const) {
      gradcheck(({ x, weight }) => call(x, { reduction, sampleWeight: weight, validate: false }), given);
    }
  });

  it.each(["f32", "f64"] as const)("is finite at extreme inputs, with its gradient, in %s", (dtype) => {
    const x = as(dtype, extreme);
    const sum = (some: Tensor[]) => call(some, { reduction: "sum" });
    expect(Number.isFinite(sum(x).item())).toBe(true);
    for (const g of grad(sum)(x)) expect([...g.data()].every(Number.isFinite)).toBe(true);
  });

  it("is the same compiled, with its gradient", () => {
    const x = as("f32", inputs);
    const value = (some: Tensor[]) => call(some, {});
    const gradient = (some: Tensor[]) => grad(value)(some);
    close(compile(value)(x).data(), value(x).data());
    const want = gradient(x);
    compile(gradient)(x).forEach((g, i) => {
      close(g.data(), (want[i] as Tensor).data());
    });
  });

  it("has the dtype of its inputs", () => {
    for (const dtype of ["f32", "f64"] as const) expect(call(as(dtype, inputs), {}).dtype).toBe(dtype);
  });

  it("adds up in a sum, multiplied by the samples' weights, and refuses negative ones", () => {
    const x = as("f64", inputs);
    const sampleWeight = tensor([0.5, 2], { dtype: "f64" });
    const each = call(x, { reduction: "none" });
    const weighted = call(x, { reduction: "none", sampleWeight });
    const perSample = (t: Tensor): Tensor => t.reshape([2, each.size / 2]).sum(1);
    close(perSample(weighted).data(), perSample(each).mul(sampleWeight).data());
    close([call(x, { reduction: "sum" }).item()], [each.sum().item()]);
    expect(() => call(x, { sampleWeight: tensor([1, -1]) })).toThrow("sampleWeight must not be negative");
  });

  it("refuses an unknown reduction", () => {
    const reduction = "avg" as Reduction;
    expect(() => call(as("f32", inputs), { reduction })).toThrow('reduction "avg" is unknown');
  });
});

it("is tested here or in a file of its own, every loss", () => {
  const elsewhere = ["accuracy", "evidence", "bce", "bceWithLogits", "crossEntropy", "mse"];
  const tested = Object.keys(subjects).map((name) => name.split(" ")[0]);
  const exported = Object.keys(losses).filter((name) => !elsewhere.includes(name));
  expect(exported.filter((name) => !tested.includes(name))).toEqual([]);
});
