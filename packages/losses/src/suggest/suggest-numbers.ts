import type { Tensor } from "@gradus/core";
import type { Question } from "../suggest-loss.js";
import { medianOf, outlierShares, quantileOf, skewOf, spreadOf, tailsOf } from "./robust.js";
import { alike, type Draft, draft, percent, short } from "./suggestion.js";
import { momentsOf, shareOf, type TargetFacts } from "./target-facts.js";

/** Quantities. */
export function suggestForNumbers(question: Question): Draft {
  const { facts, quantile, uncertainty = false, smooth = false } = question;
  const width = facts.columns.length;
  const range = `the targets are ${width > 1 ? `${width} quantities each` : "quantities"}, from ${short(facts.min)} to ${short(facts.max)}`;
  const bounds = boundsOf(question);
  const lastLayer = linearLayer(width, "one number", "the prediction itself");
  if (quantile !== undefined) {
    return draft({
      loss: "quantile",
      options: { q: quantile },
      lastLayer,
      reasons: [
        range,
        `the pinball loss is least where ${percent(quantile)} of the targets lie below the prediction`,
      ],
      encode: alike,
    });
  }
  if (bounds !== undefined) return suggestForCensored(question, range, bounds);
  if (uncertainty !== false) return suggestUncertain(width, range, uncertainty, question);
  const scaled = scaleWarnings(facts);
  const shapes = facts.columns.map(shapeOf);
  const worst = shapes.reduce((a, b) => (b.outliers + b.tails > a.outliers + a.tails ? b : a));
  const common = { lastLayer, encode: alike, warnings: scaled };
  const zeros = shareOf(0, facts);
  if (facts.min >= 0 && zeros >= 0.1 && facts.distinct.size > 10) {
    return positive(question, [
      range,
      `${percent(zeros)} are exactly 0 and the others positive: the Poisson likelihood allows both, where a logarithm could not`,
    ]);
  }
  if (facts.min > 0 && isMultiplicative(facts)) {
    const decades = Math.log10(quantileOf(facts.sorted, 0.99) / quantileOf(facts.sorted, 0.01));
    return positive(question, [
      range,
      `they are positive and have a long upper tail that their logarithms have not (over ${short(decades)} decades): errors grow ` +
        "with the value, and a squared error would see the largest only",
    ]);
  }
  if (worst.outliers >= 0.15 || worst.tails > 8) {
    return draft({
      loss: "l1",
      ...common,
      reasons: [
        range,
        `the tails are very heavy: ${percent(worst.outliers)} of the targets are farther than 3.5 robust standard deviations from the ` +
          `median, and the middle 95 % are ${short(worst.tails)} times as wide as the middle half (a normal distribution: 2.9)`,
        "the absolute error predicts the median, which does not move with them; a mean might not even exist",
      ],
      alternatives: [
        { loss: "huber", when: "if the gradient shall become small near the target" },
        { loss: "quantile", when: "if an interval is wanted: train one with 0.05 and one with 0.95" },
      ],
    });
  }
  if (worst.wild > 0 || worst.outliers >= 0.01 || worst.tails > 4) {
    const spread = Math.max(...facts.columns.map(spreadOf));
    const delta = Number((1.345 * spread).toPrecision(3));
    const found =
      worst.outliers > 0
        ? `${percent(worst.outliers)} of the targets are outliers, farther than 3.5 robust standard deviations (${short(spread)}) from ` +
          "the median"
        : `the tails are heavy: the middle 95 % are ${short(worst.tails)} times as wide as the middle half (a normal distribution: 2.9)`;
    const reasons = [range, found];
    if (smooth) {
      return draft({
        loss: "logCosh",
        ...common,
        reasons: [
          ...reasons,
          "log-cosh is like the squared error near the target and like the absolute error far away, and smooth everywhere, as you want " +
            "it. It turns at an error of 1: divide the targets by their spread first",
        ],
        alternatives: [{ loss: "huber", when: `with delta ${delta}, if a second derivative is not needed` }],
      });
    }
    return draft({
      loss: "huber",
      options: { delta },
      ...common,
      reasons: [
        ...reasons,
        "the Huber loss is the squared error for most of them, while an outlier pulls no more than delta does",
        `delta ${delta} is 1.345 spreads, where 95 % of the squared error's efficiency is kept on normal errors; once the errors ` +
          "are smaller than the targets' spread, a smaller one is better",
      ],
      alternatives: [
        { loss: "l1", when: "if there are many more outliers than seen here" },
        { loss: "logCosh", when: "if a second derivative is needed" },
      ],
    });
  }
  return draft({
    loss: "mse",
    ...common,
    reasons: [
      range,
      worst.outliers > 0
        ? `next to none of them are outliers (${percent(worst.outliers)}), and the tails are no heavier than usual`
        : "there are no outliers, and the tails are no heavier than usual",
      "the squared error predicts the mean, is smooth, and its gradient becomes small near the target",
    ],
    alternatives: [
      { loss: "huber", when: "if training becomes unstable, or outliers turn up" },
      { loss: "heteroscedastic", when: "if the noise differs from sample to sample" },
    ],
  });
}

interface ColumnShape {
  readonly outliers: number;
  readonly wild: number;
  readonly tails: number;
}

function shapeOf(column: Float64Array): ColumnShape {
  // Few values have no tails to speak of.
  return { ...outlierShares(column), tails: column.length < 50 ? 0 : tailsOf(column) };
}

/** Whether the logarithms are about symmetric where the values are not. */
function isMultiplicative({ columns }: TargetFacts): boolean {
  return columns.every((column) => {
    const logs = column.map(Math.log);
    const skew = skewOf(column);
    const tame = outlierShares(logs).outliers < 0.02;
    return skew > 0.25 && Math.abs(skewOf(logs)) < 0.6 * skew && tame && column.length >= 20;
  });
}

function positive({ facts }: Question, reasons: readonly string[]): Draft {
  return draft({
    loss: "poissonNLL",
    options: { logInput: true },
    lastLayer: {
      units: facts.columns.length,
      activation: "none",
      description:
        "linear: the logarithm of the prediction; the prediction is output.exp(), which is never negative",
    },
    reasons: [
      ...reasons,
      "the Poisson loss predicts the mean of any targets that are not negative, whole numbers or not, through its logarithm " +
        "(Gourieroux, Monfort and Trognon, 1984)",
    ],
    warnings:
      facts.max > 1000
        ? ["divide the targets by their mean first: exponentials of large numbers learn slowly"]
        : [],
    alternatives: [
      {
        loss: "mse",
        when: "of the logarithms of the targets, if the typical value is wanted rather than the mean",
      },
      { loss: "huber", when: "if negative predictions do not matter" },
    ],
    encode: alike,
  });
}

/** How often something happened. */
export function suggestForCounts({ facts }: Question): Draft {
  const { mean, variance } = momentsOf(facts.sorted);
  const zeros = shareOf(0, facts);
  const expected = Math.exp(-mean);
  const reasons = [
    `the targets are counts: whole numbers from ${facts.min} to ${facts.max}, ${short(mean)} on average`,
    "the Poisson likelihood knows that counts are not negative and vary more the larger they are; its gradient is the error of the " +
      "count itself",
  ];
  if (variance > 1.5 * mean) {
    reasons.push(
      `their variance is ${short(variance / mean)} times their mean, where Poisson's is once: predictions of the mean stay right, ` +
        "but intervals from it would be too narrow",
    );
  }
  if (zeros > expected + 0.1) {
    reasons.push(
      `${percent(zeros)} are 0, where Poisson would have ${percent(expected)}: if zeros have a cause of their own, a second ` +
        "output for zero or not (bceWithLogits) helps",
    );
  }
  if (facts.dtype === "i32") reasons.push('if the numbers are classes, say so: task "classes"');
  return draft({
    loss: "poissonNLL",
    options: { logInput: true },
    lastLayer: {
      units: facts.columns.length,
      activation: "none",
      description: "linear: the logarithm of the rate; the expected count is output.exp()",
    },
    reasons,
    alternatives: [
      { loss: "mse", when: "if all counts are large (over 30 or so): then they are nearly normal" },
      { loss: "coral", when: "if they are few and more like grades" },
    ],
    encode: alike,
  });
}

/** Shares and probabilities. */
export function suggestForShares({ facts }: Question): Draft {
  return draft({
    loss: "bceWithLogits",
    lastLayer: {
      units: facts.columns.length,
      activation: "none",
      description:
        "one logit for each, without a sigmoid; the share is logit.sigmoid(), never outside of [0, 1]",
    },
    reasons: [
      `the targets are anything from ${short(facts.min)} to ${short(facts.max)}, within 0 and 1: shares, or probabilities`,
      "the binary cross-entropy takes them as they are and predicts their mean (Papke and Wooldridge, 1996), and the sigmoid keeps " +
        "predictions in range",
      'if they are quantities that happen to lie there, say so: task "regression"',
    ],
    alternatives: [{ loss: "mse", when: "if predictions outside of the range do not matter" }],
    encode: alike,
  });
}

interface Bounds {
  readonly lower?: number;
  readonly upper?: number;
}

/** Bounds that are given, or at which so many targets are piled up that they must be cut off there. */
function boundsOf({ censored, facts }: Question): Bounds | undefined {
  if (censored === false) return undefined;
  if (censored !== undefined) return censored;
  if (facts.columns.length > 1 || facts.distinct.size <= 10) return undefined;
  const times = Float64Array.from(facts.distinct.values()).sort();
  const usual = medianOf(times);
  const piled = (value: number): boolean => {
    const count = facts.distinct.get(value) ?? 0;
    return count >= 5 && count >= 0.02 * facts.sorted.length && count >= 5 * usual;
  };
  // Zeros below positive numbers are values of their own.
  const lower = facts.min !== 0 && piled(facts.min);
  const upper = piled(facts.max);
  return lower || upper
    ? { ...(lower && { lower: facts.min }), ...(upper && { upper: facts.max }) }
    : undefined;
}

function suggestForCensored({ facts, output }: Question, range: string, bounds: Bounds): Draft {
  const words = (["lower", "upper"] as const).flatMap((side) => {
    const bound = bounds[side];
    if (bound === undefined) return [];
    const beyond = facts.sorted.filter((t) => (side === "lower" ? t <= bound : t >= bound)).length;
    return [
      `${beyond} (${percent(beyond / facts.sorted.length)}) at ${side === "lower" ? "or below" : "or above"} ${bound}`,
    ];
  });
  return draft({
    loss: "tobit",
    options: bounds,
    lastLayer: linearLayer(
      2 * facts.columns.length,
      "mean and log of the standard deviation, [N, 2]",
      "the first",
    ),
    reasons: [
      range,
      `targets are piled up at a bound: ${words.join(" and ")}. There the true value is only known to lie beyond`,
      "the tobit likelihood counts those as the probability of everything beyond, where a squared error would pull predictions back " +
        "to the bound",
      "if the bound is a value like others, say so: censored: false",
    ],
    warnings: output.units === 1 ? ["the loss needs two outputs for each target, the network has one"] : [],
    alternatives: [
      {
        loss: "quantile",
        when: "with 0.5, if fewer than half of similar samples are cut off: their median is not (Powell, 1984)",
      },
    ],
    encode: (targets, predictions) => withoutColumn(targets, predictions),
  });
}

function suggestUncertain(width: number, range: string, kind: true | "evidence", { facts }: Question): Draft {
  const evidence = kind === "evidence";
  const outputs = evidence ? "gamma, nu, alpha, beta, [N, 4]" : "mean and log-variance, [N, 2]";
  const units = (evidence ? 4 : 2) * width;
  return draft({
    loss: evidence ? "evidential" : "heteroscedastic",
    options: evidence ? { lambda: 0.01 } : { beta: 0.5 },
    lastLayer: linearLayer(units, outputs, evidence ? "evidence(output).mean" : "the first"),
    reasons: [
      range,
      evidence
        ? "the network predicts a distribution over means and variances, and so tells noise from ignorance: see `evidence`"
        : "the network predicts a variance beside each mean, so that noisy samples count less; beta 0.5 keeps the certain ones from " +
          "taking over",
    ],
    warnings: scaleWarnings(facts),
    alternatives: [
      {
        loss: "quantile",
        when: "with 0.05 and 0.95, for an interval without assuming a normal distribution",
      },
    ],
    encode: (targets, predictions) => withoutColumn(targets, predictions),
  });
}

/** `[N, 1]` as `[N]`, where the predictions are `[N, outputs]`. */
function withoutColumn(targets: Tensor, predictions: Tensor): Tensor {
  return targets.ndim === predictions.ndim && targets.shape.at(-1) === 1 ? targets.squeeze(-1) : targets;
}

function linearLayer(units: number, what: string, prediction: string): Draft["lastLayer"] {
  return {
    units,
    activation: "none",
    description: `linear, ${units === 1 || what !== "one number" ? what : `${units} numbers`}; the prediction is ${prediction === "the prediction itself" ? "the output" : prediction}`,
  };
}

/** Targets far from 0 and 1 in size make the first steps long. */
function scaleWarnings({ columns, sorted }: TargetFacts): string[] {
  const spreads = columns.map(spreadOf).filter((spread) => spread > 0);
  const [least, most] = [Math.min(...spreads), Math.max(...spreads)];
  if (most > 20 * least) {
    return [
      `the columns differ ${short(most / least)} times in spread: the largest decides. Standardise each`,
    ];
  }
  const size = Math.max(Math.abs(medianOf(sorted)), most);
  if (size > 20 || (size < 0.05 && size > 0)) {
    return [
      `the targets are far from 1 in size (median ${short(medianOf(sorted))}, spread ${short(most)}): subtract the median and divide by ` +
        "the spread first, and undo it in predictions",
    ];
  }
  return [];
}
