import { isFloat, type Tensor } from "@gradus/core";
import type { Question } from "../suggest-loss.js";
import { alike, type Draft, draft, percent, short } from "./suggestion.js";
import type { TargetFacts } from "./target-facts.js";

/** From how many times more on, rare classes get more weight. */
const UNEVEN = 3;

/** How targets name classes, and how often each is met. */
interface Labels {
  /** The label of each class; undefined where the targets are one-hot rows. */
  readonly values: readonly number[] | undefined;
  readonly counts: readonly number[];
}

function labelsOf({ columns, distinct, min, max, rowTotal }: TargetFacts, units: number | undefined): Labels {
  if (rowTotal !== undefined) {
    return { values: undefined, counts: columns.map((column) => column.reduce((a, b) => a + b, 0)) };
  }
  // From 0 on, gaps are classes that are merely not met.
  const fromZero =
    min >= 0 && (max < (units ?? 0) || max + 1 <= 2 * distinct.size) && (min === 0 || units === max + 1);
  const count = fromZero ? Math.max(max + 1, units !== undefined && units > max ? units : 0) : 0;
  const values = fromZero ? Array.from({ length: count }, (_, c) => c) : [...distinct.keys()];
  return { values, counts: values.map((value) => distinct.get(value) ?? 0) };
}

/** From targets as they are to class indices; undefined where they already are. */
function encoderOf({ values }: Labels): (targets: Tensor, predictions: Tensor) => Tensor {
  return (targets, predictions) => {
    const isRows = values === undefined;
    if (isRows) return targets.argmax(1);
    // One column is as good as none.
    const column = targets.ndim === predictions.ndim && targets.shape[1] === 1 ? targets.squeeze(1) : targets;
    const first = values[0] as number;
    const contiguous = values.every((value, c) => value === first + c);
    if (contiguous) return first === 0 ? column.cast("i32") : column.sub(first).cast("i32");
    const { engine, device } = targets;
    const table = engine.tensor(values, { dtype: isFloat(column.dtype) ? column.dtype : "i32", device });
    return column.unsqueeze(-1).eq(table).cast("i32").argmax(-1);
  };
}

/** One of several classes. */
export function suggestForClasses(question: Question): Draft {
  const { facts, targets, output, noisyLabels = false } = question;
  const labels = labelsOf(facts, output.units);
  const { counts, values } = labels;
  const met = counts.filter((count) => count > 0);
  const total = met.reduce((a, b) => a + b, 0);
  const [least, most] = [Math.min(...met), Math.max(...met)];
  const ratio = most / least;
  const shown = values === undefined ? "one-hot rows" : naming(values, facts);
  const reasons = [
    `the targets are ${counts.length} classes (${shown}), with ${least === most ? `${least}` : `${least} to ${most}`} samples each`,
    "the cross-entropy is the likelihood of classes that exclude each other, and takes logits of any size",
  ];
  if (facts.integers && values !== undefined && met.length > 2) {
    reasons.push(
      'if the numbers are counts or quantities, say so: task "counts" or "regression"; if they have an order, ordered: true',
    );
  }
  const warnings =
    met.length === counts.length
      ? []
      : [
          `${counts.length - met.length} of ${counts.length} classes are never met: nothing can be learned about them`,
        ];
  if (least < 5 && met.length > 1) warnings.push(`one class has only ${least} samples`);
  const uneven = ratio >= UNEVEN;
  if (uneven) {
    reasons.push(
      `the most frequent class has ${short(ratio)} times as many samples as the rarest: the weights (all / (classes * samples of ` +
        `the class)${ratio > 100 ? ", by their square roots, since this is much" : ""}) make rare classes count more. Leave them ` +
        "out if the probabilities themselves must be right",
    );
  } else reasons.push("all classes are met about equally often, so they need no weights");
  if (noisyLabels)
    reasons.push("some labels are wrong: labelSmoothing 0.1 keeps single ones from pulling without end");
  const options = {
    ...(uneven && { weight: classWeights(targets, counts, total, ratio > 100) }),
    ...(noisyLabels && { labelSmoothing: 0.1 }),
  };
  const read = "the class is .argmax(1)";
  if (output.activation === "logSoftmax" && !noisyLabels) {
    return draft({
      loss: "nll",
      options,
      lastLayer: {
        units: counts.length,
        activation: "logSoftmax",
        description: `${counts.length} log-probabilities, as there are; ${read}`,
      },
      reasons: [...reasons, "the network ends with logSoftmax, so nll takes what it gives"],
      warnings,
      alternatives: [{ loss: "crossEntropy", when: "without the logSoftmax" }],
      encode: encoderOf(labels),
    });
  }
  return draft({
    loss: "crossEntropy",
    options,
    lastLayer: {
      units: counts.length,
      activation: "none",
      description: `${counts.length} logits, without a softmax; probabilities are logits.softmax(1), ${read}`,
    },
    reasons,
    warnings,
    alternatives: [
      { loss: "multiMargin", when: "if only the right order counts, not the probabilities" },
      { loss: "infoNCE", when: "if classes are so many that samples of them are compared instead" },
    ],
    encode: encoderOf(labels),
  });
}

function naming(values: readonly number[], { distinct }: TargetFacts): string {
  if (values.every((value, c) => value === c)) return `0 to ${values.length - 1}`;
  const some = [...distinct.keys()].slice(0, 4).join(", ");
  return `${some}${distinct.size > 4 ? ", ..." : ""}, numbered from 0 for the loss`;
}

/** `all / (classes * samples of the class)`: 1 on average over the samples. Classes that are never met have 1. */
function classWeights(targets: Tensor, counts: readonly number[], total: number, damped: boolean): Tensor {
  const met = counts.filter((count) => count > 0).length;
  const raw = counts.map((count) => (count === 0 ? 1 : total / (met * count)));
  const weights = damped ? raw.map(Math.sqrt) : raw;
  const average = weights.reduce((sum, w, c) => sum + (w * (counts[c] as number)) / total, 0);
  const values = weights.map((w, c) => (counts[c] === 0 ? 1 : w / average));
  return targets.engine.tensor(values, { dtype: "f32", device: targets.device });
}

/** One of several classes that have an order. */
export function suggestForOrder(question: Question): Draft {
  const labels = labelsOf(question.facts, undefined);
  const classes = labels.counts.length;
  if (classes < 2) return suggestForClasses(question);
  const { values } = labels;
  return draft({
    loss: "corn",
    lastLayer: {
      units: classes - 1,
      activation: "none",
      description:
        `${classes - 1} logits, one for each "more than k?"; the class is logits.sigmoid().cumprod(1).gt(0.5).cast("i32").sum(1)` +
        (values?.[0] === 0 || values === undefined ? "" : ", counted from the lowest"),
    },
    reasons: [
      `the targets are ${classes} classes with an order: to be off by two is worse than by one, which the cross-entropy does not know`,
      "corn asks in turn whether the class is higher, so the answers never contradict each other, with an ordinary last layer",
    ],
    alternatives: [
      {
        loss: "coral",
        when: "if the questions shall share one score, so that the last layer has one output and a bias for each",
      },
      { loss: "earthMover", when: "if a probability for each class is wanted, from a softmax" },
      { loss: "crossEntropy", when: "if the order turns out not to matter" },
    ],
    encode: encoderOf(labels),
  });
}

/** A probability for each class. */
export function suggestForDistributions({ facts, ordered = false }: Question): Draft {
  const classes = facts.shape[1] ?? 1;
  const reasons = [`each target is a distribution over ${classes} classes`];
  if (ordered) {
    return draft({
      loss: "earthMover",
      lastLayer: {
        units: classes,
        activation: "softmax",
        description: `${classes} probabilities: a softmax at the end`,
      },
      reasons: [
        ...reasons,
        "the classes have an order, and the earth mover's distance knows how far probability is off",
      ],
      alternatives: [{ loss: "crossEntropy", when: "on logits, if the order does not matter" }],
      encode: alike,
    });
  }
  const certain = (facts.distinct.get(1) ?? 0) / (facts.sorted.length / classes);
  return draft({
    loss: "crossEntropy",
    lastLayer: {
      units: classes,
      activation: "none",
      description: `${classes} logits, without a softmax; probabilities are logits.softmax(1)`,
    },
    reasons: [
      ...reasons,
      `${percent(certain)} of them are certain; the cross-entropy takes probabilities as targets, and its gradient is that of the ` +
        "Kullback-Leibler divergence",
    ],
    alternatives: [
      {
        loss: "klDiv",
        when: "if the loss shall be 0 where the prediction is right (on logSoftmax, with batchmean)",
      },
    ],
    encode: alike,
  });
}
