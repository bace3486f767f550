import * as losses from "@gradus/losses";
import { stack, type Tensor } from "@gradus/tensor";
import type { Picture } from "./picture.js";

/** What the page says of a loss. */
export interface Entry {
  readonly formula: string;
  readonly when: string;
  /** PyTorch's counterpart; empty where there is none. */
  readonly torch: string;
  readonly picture: Picture;
}

const none = { reduction: "none" } as const;

/** A number, as often as `x` has elements. */
const same = (x: Tensor, value: number, dtype: "f64" | "i32" = "f64"): Tensor =>
  x.zerosLike().add(value).cast(dtype);
/** Columns `[N, columns]` of tensors and numbers. */
const columns = (x: Tensor, ...values: readonly (Tensor | number)[]): Tensor =>
  stack(
    values.map((value) => (typeof value === "number" ? same(x, value) : value)),
    1,
  );
const error = (loss: (p: Tensor, t: Tensor) => Tensor) => (x: Tensor) => loss(x, same(x, 0));
const against = (loss: (p: Tensor, t: Tensor) => Tensor, target: number) => (x: Tensor) =>
  loss(x, same(x, target));
/** One sample for each x of a loss whose samples are rows. */
const eachRow = (x: Tensor, loss: (row: Tensor) => Tensor): Tensor =>
  stack(
    Array.from({ length: x.size }, (_, i) => loss(x.slice([i, i + 1]))),
    0,
  ).reshape([x.size]);
/** The unit vector at an angle in degrees. */
const direction = (x: Tensor): Tensor => {
  const radians = x.mul(Math.PI / 180);
  return columns(x, radians.cos(), radians.sin());
};

/** Every loss, by group. */
export const entries: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  Numbers: {
    mse: {
      formula: "mean((p - t)²)",
      when: "The first choice for quantities: it predicts the mean, is smooth, and slows down near the target. Outliers pull with all their distance.",
      torch: "`nn.MSELoss`",
      picture: {
        x: ["prediction − target", -3, 3],
        curves: { mse: error((p, t) => losses.mse(p, t, none)) },
      },
    },
    l1: {
      formula: "mean(|p - t|)",
      when: "Heavy tails and many outliers: it predicts the median. The gradient does not become smaller near the target, so the learning rate must.",
      torch: "`nn.L1Loss`",
      picture: { x: ["prediction − target", -3, 3], curves: { l1: error((p, t) => losses.l1(p, t, none)) } },
    },
    smoothL1: {
      formula: "mean(d² / (2 beta)) where d = |p - t| < beta, else d - beta / 2",
      when: "As `huber`, divided by `beta`: the slope far away is 1 whatever `beta` is, which box regression is used to.",
      torch: "`nn.SmoothL1Loss`",
      picture: {
        x: ["prediction − target", -3, 3],
        curves: Object.fromEntries(
          [0.5, 1, 2].map((beta) => [
            `beta ${beta}`,
            error((p, t) => losses.smoothL1(p, t, { ...none, beta })),
          ]),
        ),
      },
    },
    huber: {
      formula: "mean(d² / 2) where d = |p - t| ≤ delta, else delta (d - delta / 2)",
      when: "Some outliers: squared for most errors, while no sample pulls harder than `delta`.",
      torch: "`nn.HuberLoss`",
      picture: {
        x: ["prediction − target", -3, 3],
        curves: Object.fromEntries(
          [0.5, 1, 2].map((delta) => [
            `delta ${delta}`,
            error((p, t) => losses.huber(p, t, { ...none, delta })),
          ]),
        ),
      },
    },
    logCosh: {
      formula: "mean(log(cosh(p - t)))",
      when: "As `huber` with delta 1, but smooth everywhere: for optimizers that want second derivatives.",
      torch: "",
      picture: {
        x: ["prediction − target", -4, 4],
        curves: { logCosh: error((p, t) => losses.logCosh(p, t, none)) },
      },
    },
    quantile: {
      formula: "mean(max(q e, (q - 1) e)) with e = t - p",
      when: "A quantile instead of the mean: the 0.9 that a delivery time stays below. Two of them are an interval.",
      torch: "",
      picture: {
        x: ["prediction − target", -3, 3],
        curves: Object.fromEntries(
          [0.1, 0.5, 0.9].map((q) => [`q ${q}`, error((p, t) => losses.quantile(p, t, { ...none, q }))]),
        ),
      },
    },
  },
  "Numbers and how sure they are": {
    gaussianNLL: {
      formula: "mean((log v + (p - t)² / v) / 2), v at least eps",
      when: "Noise that differs from sample to sample, with a network that gives a positive variance v beside the mean.",
      torch: "`nn.GaussianNLLLoss`",
      picture: {
        x: ["prediction − target", -3, 3],
        curves: Object.fromEntries(
          [0.25, 1, 4].map((v) => [
            `variance ${v}`,
            (x: Tensor) => losses.gaussianNLL(x, same(x, 0), same(x, v), none),
          ]),
        ),
      },
    },
    heteroscedastic: {
      formula: "mean((s + exp(-s) (m - t)²) / 2) of outputs (m, s)",
      when: "The same with two plain outputs, mean and logarithm of the variance, as one tensor: it goes where `mse` goes.",
      torch: "",
      picture: {
        x: ["log-variance s", -3, 4],
        curves: Object.fromEntries(
          [0, 1, 2].map((e) => [
            `error ${e}`,
            (x: Tensor) => losses.heteroscedastic(columns(x, e, x), same(x, 0), none),
          ]),
        ),
      },
    },
    evidential: {
      formula:
        "mean(log(π/ν)/2 - α log Ω + (α + ½) log((t - γ)² ν + Ω) + log(Γ(α)/Γ(α + ½)) + λ |t - γ| (2ν + α)), Ω = 2β(1 + ν)",
      when: "To tell noise in the data from having seen too little of it, with one network and one pass; see `evidence`.",
      torch: "",
      picture: {
        x: ["prediction − target", -4, 4],
        curves: Object.fromEntries(
          [-2, 0, 2].map((nu) => [
            `output for nu ${nu}`,
            (x: Tensor) => losses.evidential(columns(x, x, nu, 0, 0), same(x, 0), none),
          ]),
        ),
      },
    },
    tobit: {
      formula: "mean(z²/2 + s + log(2π)/2), z = (t - m)/exp(s); -log Φ(∓z) of a target at a bound",
      when: "Targets that are cut off: a sensor's limit, a capped price, the end of a study.",
      torch: "",
      picture: {
        x: ["prediction − target", -4, 4],
        curves: {
          "target within the bounds": (x) =>
            losses.tobit(columns(x, x, 0), same(x, 0), { ...none, upper: 1 }),
          "target at the upper bound": (x) =>
            losses.tobit(columns(x, x, 0), same(x, 0), { ...none, upper: 0 }),
          "target at the lower bound": (x) =>
            losses.tobit(columns(x, x, 0), same(x, 0), { ...none, lower: 0 }),
        },
      },
    },
    poissonNLL: {
      formula: "mean(exp(x) - t x) of logarithms of rates x",
      when: "Counts, and other targets that are never negative: it predicts their mean through its logarithm.",
      torch: "`nn.PoissonNLLLoss`",
      picture: {
        x: ["logarithm of the rate", -3, 2.5],
        curves: Object.fromEntries(
          [0, 1, 5].map((t) => [`count ${t}`, against((p, target) => losses.poissonNLL(p, target, none), t)]),
        ),
      },
    },
  },
  Classes: {
    crossEntropy: {
      formula: "mean(-Σ_c w_c t_c log softmax(x)_c)",
      when: "One of several classes; targets are class indices or probabilities. `weight` for rare classes, `labelSmoothing` for wrong labels, `ignoreIndex` for padding. Costs and gradient are one pass over the logits, whatever the number of classes.",
      torch: "`nn.CrossEntropyLoss`",
      picture: {
        x: ["logit of the target class, two others at 0", -6, 8],
        curves: Object.fromEntries(
          [0, 0.1, 0.3].map((labelSmoothing) => [
            `labelSmoothing ${labelSmoothing}`,
            (x: Tensor) =>
              losses.crossEntropy(columns(x, x, 0, 0), same(x, 0, "i32"), { ...none, labelSmoothing }),
          ]),
        ),
      },
    },
    nll: {
      formula: "mean(-w_t x_t) of log-probabilities x",
      when: "A network that already ends with logSoftmax. On logits `crossEntropy` does both.",
      torch: "`nn.NLLLoss`",
      picture: {
        x: ["log-probability of the target class", -5, 0],
        curves: { nll: (x) => losses.nll(columns(x, x, -1), same(x, 0, "i32"), none) },
      },
    },
    multiMargin: {
      formula: "mean(Σ_{c≠t} w_t max(0, margin - x_t + x_c)^p / C)",
      when: "Only the order of the scores counts, not probabilities: once the target leads by the margin, nothing is left to learn.",
      torch: "`nn.MultiMarginLoss`",
      picture: {
        x: ["score of the target class, two others at 0", -2, 3],
        curves: {
          "p = 1": (x) => losses.multiMargin(columns(x, x, 0, 0), same(x, 0, "i32"), none),
          "p = 2": (x) => losses.multiMargin(columns(x, x, 0, 0), same(x, 0, "i32"), { ...none, p: 2 }),
        },
      },
    },
  },
  "Classes with an order": {
    coral: {
      formula: "mean(Σ_k BCE(sigmoid(x_k), t > k))",
      when: "Ratings and stages, of which far misses are worse. Best with one score and a bias for each question, so that answers agree.",
      torch: "",
      picture: {
        x: ["score s; the questions' logits are s + 2, s, s − 2", -6, 6],
        curves: Object.fromEntries(
          [0, 1, 2, 3].map((t) => [
            `class ${t}`,
            (x: Tensor) => losses.coral(columns(x, x.add(2), x, x.sub(2)), same(x, t, "i32"), none),
          ]),
        ),
      },
    },
    corn: {
      formula: "Σ_k Σ_{t≥k} BCE(sigmoid(x_k), t > k) / number of terms",
      when: "The same with an ordinary last layer: each question is put only where the one before was answered with yes.",
      torch: "",
      picture: {
        x: ["score s; the questions' logits are s + 2, s, s − 2", -6, 6],
        curves: Object.fromEntries(
          [0, 1, 2, 3].map((t) => [
            `class ${t}`,
            (x: Tensor) => losses.corn(columns(x, x.add(2), x, x.sub(2)), same(x, t, "i32"), none),
          ]),
        ),
      },
    },
  },
  "Yes or no": {
    bceWithLogits: {
      formula: "mean(-(w t log sigmoid(x) + (1 - t) log sigmoid(-x)))",
      when: "Yes or no, once or for several labels at a time. `posWeight` where yes is rare.",
      torch: "`nn.BCEWithLogitsLoss`",
      picture: {
        x: ["logit", -6, 6],
        curves: {
          "target 1": against((p, t) => losses.bceWithLogits(p, t, none), 1),
          "target 0": against((p, t) => losses.bceWithLogits(p, t, none), 0),
          "target 1, posWeight 3": (x) =>
            losses.bceWithLogits(x, same(x, 1), { ...none, posWeight: same(x, 3) }),
        },
      },
    },
    bce: {
      formula: "mean(-(t log p + (1 - t) log(1 - p))), logarithms at least -100",
      when: "Probabilities that do not come from a sigmoid of your own. Else `bceWithLogits` is more accurate.",
      torch: "`nn.BCELoss`",
      picture: {
        x: ["probability", 0.01, 0.99],
        curves: {
          "target 1": against((p, t) => losses.bce(p, t, none), 1),
          "target 0": against((p, t) => losses.bce(p, t, none), 0),
        },
      },
    },
    focal: {
      formula: "mean(-α t (1 - p)^γ log p - (1 - α)(1 - t) p^γ log(1 - p)), p = sigmoid(x)",
      when: "Far more easy examples than hard ones, as in detection.",
      torch: "torchvision's `sigmoid_focal_loss`",
      picture: {
        x: ["logit, of target 1", -6, 6],
        curves: Object.fromEntries(
          [0, 1, 2, 5].map((gamma) => [
            `gamma ${gamma}`,
            against((p, t) => losses.focal(p, t, { ...none, gamma, alpha: 0.5 }), 1),
          ]),
        ),
      },
    },
    softMargin: {
      formula: "mean(log(1 + exp(-t x))), t = ±1",
      when: "As `bceWithLogits`, for targets that are 1 and -1.",
      torch: "`nn.SoftMarginLoss`",
      picture: {
        x: ["logit", -6, 6],
        curves: {
          "target 1": against((p, t) => losses.softMargin(p, t, none), 1),
          "target −1": against((p, t) => losses.softMargin(p, t, none), -1),
        },
      },
    },
    hinge: {
      formula: "mean(max(0, margin - t x)^p), t = ±1",
      when: "Support vector machines: what is right by the margin costs nothing.",
      torch: "for several classes only: `nn.MultiMarginLoss`",
      picture: {
        x: ["score, of target 1", -2, 3],
        curves: {
          "p = 1": against((p, t) => losses.hinge(p, t, none), 1),
          "p = 2": against((p, t) => losses.hinge(p, t, { ...none, p: 2 }), 1),
        },
      },
    },
    multiLabelSoftMargin: {
      formula: "mean(-w_c (t log sigmoid(x) + (1 - t) log sigmoid(-x)))",
      when: "Several labels for each sample, with one loss per sample and weights per label.",
      torch: "`nn.MultiLabelSoftMarginLoss`",
      picture: {
        x: ["logit of one of two labels, the other right at 4", -6, 6],
        curves: Object.fromEntries(
          [1, 0].map((t) => [
            `target ${t}`,
            (x: Tensor) => losses.multiLabelSoftMargin(columns(x, x, 4), columns(x, t, 1), none),
          ]),
        ),
      },
    },
    multiLabelMargin: {
      formula: "mean(Σ_t Σ_{c not a label} max(0, 1 - x_t + x_c) / C)",
      when: "Several labels for each sample, of which only the order against the other classes counts.",
      torch: "`nn.MultiLabelMarginLoss`",
      picture: {
        x: ["score of one of two labels, the other at 1, the other classes at 0", -2, 3],
        curves: {
          multiLabelMargin: (x) =>
            losses.multiLabelMargin(columns(x, x, 1, 0, 0), columns(x, 0, 1, -1, -1).cast("i32"), none),
        },
      },
    },
  },
  Distributions: {
    klDiv: {
      formula: "mean(t (log t - x)) of log-probabilities x",
      when: "Targets that are distributions, if the loss shall be 0 where they are met: distillation. The divergence itself is the reduction `batchmean`.",
      torch: "`nn.KLDivLoss`",
      picture: {
        x: ["probability of the first of two classes", 0.02, 0.98],
        curves: Object.fromEntries(
          [0.2, 0.5, 0.8].map((t) => [
            `target ${t}`,
            (x: Tensor) =>
              losses.klDiv(columns(x, x, x.neg().add(1)).log(), columns(x, t, 1 - t), none).sum(1),
          ]),
        ),
      },
    },
    earthMover: {
      formula: "mean(Σ_k |cumsum(p)_k - cumsum(t)_k|^p (position_{k+1} - position_k))",
      when: "Distributions over ordered bins, where near is less wrong than far: ages, ratings, depths.",
      torch: "",
      picture: {
        x: ["bin that the probability is on; the target is bin 2 of 0 to 4", 0, 4],
        curves: Object.fromEntries(
          ([1, 2] as const).map((p) => [
            `p = ${p}`,
            (x: Tensor) => {
              // Shared between the two bins that x lies between.
              const near = columns(x, ...[0, 1, 2, 3, 4].map((k) => x.sub(k).abs().neg().add(1).relu()));
              return losses.earthMover(near, columns(x, 0, 0, 1, 0, 0), { ...none, p });
            },
          ]),
        ),
      },
    },
    wasserstein1d: {
      formula:
        "mean(|sorted(p) - sorted(t)|^p); of other numbers of samples the area between their distribution functions",
      when: "Predicted samples that shall be distributed like others, whatever their order: generators, sliced distances.",
      torch: "",
      picture: {
        x: ["one of three predicted samples, the others at 0 and 2; targets 0, 1, 2", -2, 4],
        curves: Object.fromEntries(
          ([1, 2] as const).map((p) => [
            `p = ${p}`,
            (x: Tensor) => losses.wasserstein1d(columns(x, x, 0, 2), columns(x, 0, 1, 2), { ...none, p }),
          ]),
        ),
      },
    },
  },
  Masks: {
    dice: {
      formula: "mean(1 - (2 Σ p t + smooth) / (Σ p + Σ t + smooth))",
      when: "Masks that cover little of the picture: it measures the overlap, so the many empty pixels do not count.",
      torch: "",
      picture: {
        x: ["probability of the 2 marked pixels of 8; the others at 0.2", 0, 1],
        curves: Object.fromEntries(
          [0, 1].map((smooth) => [
            `smooth ${smooth}`,
            (x: Tensor) =>
              losses.dice(
                columns(x, x, x, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2),
                columns(x, 1, 1, 0, 0, 0, 0, 0, 0),
                { ...none, smooth },
              ),
          ]),
        ),
      },
    },
    tversky: {
      formula: "mean(1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth))",
      when: "As `dice`, where a missed pixel and one too many do not count alike: `beta` above `alpha` for lesions that must not be missed.",
      torch: "",
      picture: {
        x: ["probability of the 2 marked pixels of 8; the others at 0.2", 0, 1],
        curves: Object.fromEntries(
          [0.3, 0.5, 0.7].map((beta) => [
            `alpha ${Number((1 - beta).toFixed(1))}, beta ${beta}`,
            (x: Tensor) =>
              losses.tversky(
                columns(x, x, x, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2),
                columns(x, 1, 1, 0, 0, 0, 0, 0, 0),
                {
                  ...none,
                  alpha: 1 - beta,
                  beta,
                },
              ),
          ]),
        ),
      },
    },
  },
  "Embeddings and rankings": {
    cosineEmbedding: {
      formula: "mean(1 - cos(a, b)) of similar pairs, max(0, cos(a, b) - margin) of others",
      when: "Pairs that shall point in the same direction, or not.",
      torch: "`nn.CosineEmbeddingLoss`",
      picture: {
        x: ["angle between the vectors, degrees", -180, 180],
        curves: {
          similar: (x) => losses.cosineEmbedding(direction(x), direction(x.zerosLike()), same(x, 1), none),
          different: (x) => losses.cosineEmbedding(direction(x), direction(x.zerosLike()), same(x, -1), none),
        },
      },
    },
    hingeEmbedding: {
      formula: "mean(x) of distances x of similar pairs, max(0, margin - x) of others",
      when: "Pairs with a distance of your own that shall be small, or more than the margin.",
      torch: "`nn.HingeEmbeddingLoss`",
      picture: {
        x: ["distance", 0, 2],
        curves: {
          similar: against((p, t) => losses.hingeEmbedding(p, t, none), 1),
          different: against((p, t) => losses.hingeEmbedding(p, t, none), -1),
        },
      },
    },
    tripletMargin: {
      formula: "mean(max(0, d(a, p) - d(a, n) + margin))",
      when: "Samples that shall be closer to one of their kind than to another; the distance may be your own.",
      torch: "`nn.TripletMarginLoss`, `nn.TripletMarginWithDistanceLoss`",
      picture: {
        x: ["distance of the positive; that of the negative is 2", 0, 4],
        curves: Object.fromEntries(
          [0.5, 1].map((margin) => [
            `margin ${margin}`,
            (x: Tensor) =>
              losses.tripletMargin(columns(x, 0, 0), columns(x, x, 0), columns(x, 0, 2), { ...none, margin }),
          ]),
        ),
      },
    },
    marginRanking: {
      formula: "mean(max(0, margin - t (a - b))), t = ±1",
      when: "Pairs of scores of which one shall be the higher.",
      torch: "`nn.MarginRankingLoss`",
      picture: {
        x: ["first score − second score, the first to be higher", -3, 3],
        curves: Object.fromEntries(
          [0, 1].map((margin) => [
            `margin ${margin}`,
            (x: Tensor) => losses.marginRanking(x, same(x, 0), same(x, 1), { ...none, margin }),
          ]),
        ),
      },
    },
    infoNCE: {
      formula: "mean(-log softmax(cos(q_i, k_·) / temperature)_i)",
      when: "Pairs of two kinds, as pictures and captions: each shall find its own among all others of the batch.",
      torch: "",
      picture: {
        x: ["angle of a query to its key, degrees; the other key is at 90", -90, 180],
        points: 54,
        curves: Object.fromEntries(
          [0.1, 0.5].map((temperature) => [
            `temperature ${temperature}`,
            (x: Tensor) =>
              eachRow(x, (row) => {
                const keys = direction(row.zerosLike().expand([1]))
                  .pad([
                    [0, 1],
                    [0, 0],
                  ])
                  .add(secondRow(row));
                const queries = direction(row)
                  .pad([
                    [0, 1],
                    [0, 0],
                  ])
                  .add(secondRow(row));
                return losses.infoNCE(queries, keys, { ...none, temperature }).slice([0, 1]);
              }),
          ]),
        ),
      },
    },
    ntXent: {
      formula:
        "mean(-log(exp(cos(z_i, z_j)/temperature) / Σ_{k≠i} exp(cos(z_i, z_k)/temperature))), both ways",
      when: "Two views of each sample, as in SimCLR: each shall find the other among all vectors of the batch.",
      torch: "",
      picture: {
        x: ["angle between two views, degrees; two others are at 90", -90, 180],
        points: 54,
        curves: Object.fromEntries(
          [0.1, 0.5].map((temperature) => [
            `temperature ${temperature}`,
            (x: Tensor) =>
              eachRow(x, (row) => {
                const second = direction(row.zerosLike().expand([1]))
                  .pad([
                    [0, 1],
                    [0, 0],
                  ])
                  .add(secondRow(row));
                const first = direction(row)
                  .pad([
                    [0, 1],
                    [0, 0],
                  ])
                  .add(secondRow(row));
                return losses.ntXent(first, second, { ...none, temperature }).slice([0, 1]);
              }),
          ]),
        ),
      },
    },
  },
  Sequences: {
    ctc: {
      formula: "mean(-log Σ over alignments of Π_t p_t(label) / target length)",
      when: "A label sequence without times, as in speech and handwriting: all alignments count.",
      torch: "`nn.CTCLoss`",
      picture: {
        x: ["logit of the label in all of three frames, blank and another at 0", -4, 6],
        curves: Object.fromEntries(
          [1, 2].map((times) => [
            times === 1 ? "the label once" : "the label twice",
            (x: Tensor) => {
              const frame = columns(x, 0, x, 0).logSoftmax(-1).unsqueeze(0);
              const labels = columns(x, ...new Array<number>(times).fill(1)).cast("i32");
              return losses.ctc(
                frame.expand([3, x.size, 3]),
                labels,
                same(x, 3, "i32"),
                same(x, times, "i32"),
                none,
              );
            },
          ]),
        ),
      },
    },
  },
};

/** Zeros, and below them a vector at 90 degrees. */
function secondRow(like: Tensor): Tensor {
  return like.engine.tensor(
    [
      [0, 0],
      [0, 1],
    ],
    { dtype: "f64" },
  );
}
