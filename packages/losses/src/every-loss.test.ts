import { describeLoss, type LossSuiteOptions } from "@gradus/conformance";
import type { DType, NestedArray, Tensor } from "@gradus/core";
import { expect, it } from "vitest";
import * as losses from "./index.js";

type Loss = (predictions: Tensor, targets: Tensor, options?: losses.LossOptions) => Tensor;

/** Values as a tensor beside `x`. */
const beside = (x: Tensor, values: NestedArray, dtype: DType = x.dtype): Tensor =>
  x.engine.tensor(values, { dtype, device: x.device });

/** What a tensor holds on axis 1, for losses of more than one prediction. */
const parts = (x: Tensor, count: number): Tensor[] =>
  Array.from({ length: count }, (_, i) => x.slice(null, [i, i + 1]).squeeze(1));

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
const signs = [
  [1, -1],
  [-1, 1],
];

const regression: LossSuiteOptions = {
  differentiatesTargets: true,
  unreducedShape: [3, 2],
  extreme: { predictions: large, targets: zeros },
};
const binary: LossSuiteOptions = {
  predictions: numbers,
  targets: [
    [0.9, 0.1],
    [0.25, 0.8],
  ],
  differentiatesTargets: true,
  extreme: { predictions: large, targets: certain },
};
const signed: LossSuiteOptions = { predictions: numbers, targets: signs };
const classes: LossSuiteOptions = {
  predictions: scores,
  targets: [2, 0],
  targetDtype: "i32",
  unreducedShape: [2],
};
const ordered: LossSuiteOptions = { ...classes, targets: [3, 1] };
const masks: LossSuiteOptions = {
  predictions: probabilities,
  targets: probabilities.map((row) => row.map((p) => 1 - p)),
  differentiatesTargets: true,
  unreducedShape: [2],
  extreme: { predictions: certain, targets: zeros },
};
/** A loss of two sides, as one of a tensor that holds both on axis 1. */
const sides = (options: LossSuiteOptions = {}): LossSuiteOptions => ({
  predictions: [
    [numbers[0] as number[], others[0] as number[]],
    [numbers[1] as number[], others[1] as number[]],
  ],
  targets: [1, -1],
  unreducedShape: [2],
  extreme: {
    predictions: [
      [large[0] as number[], [0, 0]],
      [[0, 0], large[1] as number[]],
    ],
    targets: [1, -1],
  },
  ...options,
});

const subjects: Readonly<Record<string, readonly [Loss, LossSuiteOptions]>> = {
  mse: [losses.mse, regression],
  l1: [losses.l1, regression],
  smoothL1: [losses.smoothL1, regression],
  "smoothL1 of beta 0.3": [(p, t, o) => losses.smoothL1(p, t, { ...o, beta: 0.3 }), regression],
  huber: [losses.huber, regression],
  logCosh: [losses.logCosh, regression],
  quantile: [(p, t, o) => losses.quantile(p, t, { ...o, q: 0.8 }), regression],
  wasserstein1d: [losses.wasserstein1d, { ...regression, unreducedShape: [3] }],
  "wasserstein1d, squared": [
    (p, t, o) => losses.wasserstein1d(p, t, { ...o, p: 2 }),
    { ...regression, unreducedShape: [3] },
  ],
  "wasserstein1d of different numbers of samples": [
    losses.wasserstein1d,
    {
      predictions: scores,
      targets: others,
      differentiatesTargets: true,
      unreducedShape: [2],
      extreme: { predictions: largeScores, targets: zeros },
    },
  ],

  bce: [
    losses.bce,
    {
      ...binary,
      predictions: probabilities,
      extreme: {
        predictions: [
          [0, 1],
          [0, 1],
        ],
        targets: signs.map((row) => row.map((s) => (s + 1) / 2)),
      },
    },
  ],
  bceWithLogits: [losses.bceWithLogits, binary],
  "bceWithLogits with weights": [
    (p, t, o) =>
      losses.bceWithLogits(p, t, { ...o, weight: beside(p, [1, 3]), posWeight: beside(p, [2, 0.5]) }),
    binary,
  ],
  focal: [losses.focal, binary],
  "focal of gamma 0.5": [(p, t, o) => losses.focal(p, t, { ...o, gamma: 0.5 }), binary],
  multiLabelSoftMargin: [losses.multiLabelSoftMargin, { ...binary, unreducedShape: [2] }],
  softMargin: [losses.softMargin, signed],
  hinge: [losses.hinge, signed],
  "hinge, squared": [(p, t, o) => losses.hinge(p, t, { ...o, p: 2 }), signed],
  hingeEmbedding: [losses.hingeEmbedding, signed],

  crossEntropy: [losses.crossEntropy, classes],
  "crossEntropy of smoothed labels": [
    (p, t, o) => losses.crossEntropy(p, t, { ...o, labelSmoothing: 0.2 }),
    classes,
  ],
  "crossEntropy with weights, of which the mean divides": [
    (p, t, o) => losses.crossEntropy(p, t, { ...o, weight: beside(p, [1, 2, 0.5]), labelSmoothing: 0.2 }),
    { ...classes, meanDivisor: () => 1.5 },
  ],
  "crossEntropy with targets ignored": [
    (p, t, o) => losses.crossEntropy(p, t, { ...o, ignoreIndex: 0 }),
    { ...classes, meanDivisor: () => 1 },
  ],
  "crossEntropy of probabilities": [
    losses.crossEntropy,
    {
      predictions: scores,
      targets: [
        [0.2, 0.5, 0.3],
        [0.05, 0.1, 0.85],
      ],
      differentiatesTargets: true,
      unreducedShape: [2],
      extreme: {
        predictions: largeScores,
        targets: [
          [1, 0, 0],
          [0.5, 0, 0.5],
        ],
      },
    },
  ],
  "crossEntropy of images": [
    losses.crossEntropy,
    {
      predictions: [scores, scores.map((row) => row.map((x) => -x))],
      targets: [
        [1, 0, 0],
        [0, 1, 1],
      ],
      targetDtype: "i32",
      unreducedShape: [2, 3],
    },
  ],
  nll: [losses.nll, classes],
  "nll with weights, of which the mean divides": [
    (p, t, o) => losses.nll(p, t, { ...o, weight: beside(p, [1, 2, 0.5]) }),
    { ...classes, meanDivisor: () => 1.5 },
  ],
  multiMargin: [losses.multiMargin, { ...classes, targets: [1, 0] }],
  "multiMargin, squared, with weights": [
    (p, t, o) => losses.multiMargin(p, t, { ...o, p: 2, margin: 0.5, weight: beside(p, [1, 2, 0.5]) }),
    { ...classes, targets: [1, 0] },
  ],
  multiLabelMargin: [
    losses.multiLabelMargin,
    {
      ...classes,
      targets: [
        [1, -1, 0],
        [2, 0, -1],
      ],
    },
  ],
  coral: [losses.coral, ordered],
  "coral with weights": [(p, t, o) => losses.coral(p, t, { ...o, weight: beside(p, [1, 2, 0.5]) }), ordered],
  corn: [losses.corn, { ...ordered, meanDivisor: () => 5 }],

  klDiv: [
    losses.klDiv,
    { ...binary, targets: probabilities, extreme: { predictions: large, targets: certain } },
  ],
  "klDiv of logarithms": [
    (p, t, o) => losses.klDiv(p, t, { ...o, logTarget: true }),
    {
      ...binary,
      targets: others,
      extreme: {
        predictions: large,
        targets: [
          [0, -1e4],
          [-1e4, 0],
        ],
      },
    },
  ],
  earthMover: [losses.earthMover, masks],
  "earthMover, squared, of bins anywhere": [
    (p, t, o) => losses.earthMover(p, t, { ...o, p: 2, positions: beside(p, [1, 4]) }),
    masks,
  ],
  dice: [losses.dice, masks],
  tversky: [(p, t, o) => losses.tversky(p, t, { ...o, alpha: 0.3 }), masks],

  poissonNLL: [
    (p, t, o) => losses.poissonNLL(p, t, { ...o, full: true }),
    {
      predictions: numbers,
      targets: certain,
      // The exponential of 10,000 is infinite, and rightly so.
      extreme: {
        predictions: [
          [80, -1e4],
          [-1e4, 80],
        ],
        targets: certain,
      },
    },
  ],
  "poissonNLL of rates": [
    (p, t, o) => losses.poissonNLL(p, t, { ...o, logInput: false, full: true }),
    {
      predictions: probabilities,
      targets: [
        [3, 0.5],
        [0.25, 2.5],
      ],
      differentiatesTargets: true,
      extreme: {
        predictions: [
          [0, 1e4],
          [1e4, 0],
        ],
        targets: [
          [0, 1e4],
          [0, 0],
        ],
      },
    },
  ],
  gaussianNLL: [
    (p, t, o) => losses.gaussianNLL(p, t, beside(p, 0.7).expand(p.shape), { ...o, full: true }),
    { ...regression, extreme: { predictions: large, targets: zeros } },
  ],
  "gaussianNLL by variances": [
    (v, t, o) => losses.gaussianNLL(v.zerosLike(), t, v, o),
    {
      predictions: probabilities,
      targets: others,
      differentiatesTargets: true,
      extreme: { predictions: zeros, targets: large },
    },
  ],
  heteroscedastic: [
    (p, t, o) => losses.heteroscedastic(p, t, { ...o, full: true }),
    {
      predictions: numbers,
      targets: [0.4, 2],
      differentiatesTargets: true,
      unreducedShape: [2],
      extreme: { predictions: [...large, [0, -1e4], [1, 1e4]], targets: [0, 0, 0, 0] },
    },
  ],
  evidential: [
    (p, t, o) => losses.evidential(p, t, { ...o, lambda: 0.1 }),
    {
      predictions: [
        [0.31, -1.2, 0.7, 0.4],
        [2.5, 0.13, 9.5, -0.8],
      ],
      targets: [0.4, 2],
      differentiatesTargets: true,
      unreducedShape: [2],
      extreme: {
        predictions: Array.from({ length: 16 }, (_, i) => [
          1e4,
          ...[4, 2, 1].map((bit) => ((i & bit) > 0 ? 1e4 : -1e4)),
        ]),
        targets: Array.from({ length: 16 }, (_, i) => (i < 8 ? 1e4 : 0)),
      },
    },
  ],
  tobit: [
    (p, t, o) => losses.tobit(p, t, { ...o, lower: -1, upper: 1 }),
    {
      predictions: [
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
      // Below, beyond and between the bounds, away from the places where differences would cross them.
      targets: [
        [0.5, -3, -2],
        [2, 3, -0.5],
      ],
      differentiatesTargets: true,
      unreducedShape: [2, 3],
      extreme: {
        predictions: [1, -1, 0].flatMap(() => [
          [1e4, -1e4],
          [1e4, 1e4],
          [-1e4, -1e4],
          [-1e4, 1e4],
          [1e4, 0],
          [-1e4, 0],
        ]),
        targets: [1, -1, 0].flatMap((t) => [t, t, t, t, t, t]),
      },
    },
  ],

  cosineEmbedding: [
    (p, t, o) => {
      const [a, b] = parts(p, 2) as [Tensor, Tensor];
      return losses.cosineEmbedding(a, b, t, o);
    },
    sides(),
  ],
  marginRanking: [
    (p, t, o) => {
      const [a, b] = parts(p, 2) as [Tensor, Tensor];
      return losses.marginRanking(a, b, t, o);
    },
    sides({
      targets: signs,
      unreducedShape: [2, 2],
      extreme: {
        predictions: [
          [
            [1e4, 0],
            [0, 1e4],
          ],
          [
            [-1e4, 0],
            [1e4, -1e4],
          ],
        ],
        targets: signs,
      },
    }),
  ],
  tripletMargin: [
    (p, _, o) => {
      const [a, b, c] = parts(p, 3) as [Tensor, Tensor, Tensor];
      return losses.tripletMargin(a, b, c, { ...o, swap: true });
    },
    {
      predictions: [
        [
          [0.31, -1.2],
          [0.9, 0.62],
          [0.2, -0.9],
        ],
        [
          [2.5, 0.13],
          [-0.7, 2.05],
          [2.2, 0.5],
        ],
      ],
      targets: [0, 0],
      unreducedShape: [2],
      refuses: false,
      extreme: {
        predictions: [
          [
            [1e4, -1e4],
            [1e4, -1e4],
            [0, 0],
          ],
          [
            [0, 0],
            [-1e4, 1e4],
            [0, 0],
          ],
        ],
        targets: [0, 0],
      },
    },
  ],
  infoNCE: [
    (p, _, o) => {
      const [a, b] = parts(p, 2) as [Tensor, Tensor];
      return losses.infoNCE(a, b, { ...o, symmetric: true });
    },
    sides({ refuses: false }),
  ],
  ntXent: [
    (p, _, o) => {
      const [a, b] = parts(p, 2) as [Tensor, Tensor];
      return losses.ntXent(a, b, o);
    },
    sides({ refuses: false }),
  ],
  ctc: [
    (x, t, o) => {
      const lengths = beside(x, x.shape[0] === 0 ? [] : [4, 3], "i32").slice([0, x.shape[0] as number]);
      const shorter = beside(x, x.shape[0] === 0 ? [] : [2, 1], "i32").slice([0, x.shape[0] as number]);
      return losses.ctc(x.transpose(0, 1).logSoftmax(-1), t, lengths, shorter, o);
    },
    {
      predictions: [scores, scores].map((rows) => [...rows, ...rows.map((row) => row.map((x) => -x))]),
      targets: [
        [1, 1],
        [2, 0],
      ],
      targetDtype: "i32",
      unreducedShape: [2],
      // The mean divides each loss by its target's length first.
      meanDivisor: false,
    },
  ],
};

for (const [name, [loss, options]] of Object.entries(subjects)) {
  describeLoss(name, loss, { sampleWeight: true, ...options });
}

it("every loss is tested here", () => {
  const noLoss = ["accuracy", "evidence", "suggestLoss"];
  const tested = Object.keys(subjects).map((name) => name.split(/[ ,]/)[0]);
  const exported = Object.keys(losses).filter((name) => !noLoss.includes(name));
  expect(exported.filter((name) => !tested.includes(name))).toEqual([]);
});
