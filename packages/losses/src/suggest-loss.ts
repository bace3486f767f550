import { fail, type Layer, type Tensor } from "@gradus/core";
import { checkOutput } from "./suggest/check-output.js";
import { kindOf } from "./suggest/kind-of.js";
import { type OutputLayer, outputLayerOf } from "./suggest/output-layer.js";
import { suggestForClasses, suggestForDistributions, suggestForOrder } from "./suggest/suggest-classes.js";
import { suggestForCounts, suggestForNumbers, suggestForShares } from "./suggest/suggest-numbers.js";
import { suggestForLabels, suggestForMasks, suggestForYesNo } from "./suggest/suggest-yes-no.js";
import { type Draft, percent, type Suggestion, suggestionOf } from "./suggest/suggestion.js";
import { factsOf, type TargetFacts } from "./suggest/target-facts.js";

/** What targets stand for. */
export type Task =
  /** Quantities. */
  | "regression"
  /** How often something happened: 0, 1, 2, ... */
  | "counts"
  /** Shares and probabilities, anything from 0 to 1. */
  | "shares"
  /** Yes or no. */
  | "binary"
  /** One of several classes. */
  | "classes"
  /** One of several classes that have an order. */
  | "ordinal"
  /** Several yes or no for each sample. */
  | "multilabel"
  /** A probability for each class. */
  | "distribution"
  /** Yes or no for each pixel. */
  | "mask";

export interface SuggestLossOptions {
  /** The targets to train with, all of them or a fair sample. */
  readonly targets: Tensor;
  /**
   * How the network ends: said in words, as a layer (the last one's name tells), or as what the network answers to a batch.
   */
  readonly output?: OutputLayer | Layer | Tensor;
  /** What the targets stand for, where that is known; else it is guessed from their dtype, shape, values and counts. */
  readonly task?: Task;
  /** Whether the classes have an order, as ratings do. Same as the task `ordinal`, and for distributions too. */
  readonly ordered?: boolean;
  /** Whether predictions shall say how sure they are; `evidence` also of how little data there was. Default false. */
  readonly uncertainty?: boolean | "evidence";
  /** Which quantile is to be predicted, instead of the mean. */
  readonly quantile?: number;
  /** Bounds at which targets are cut off. They are looked for where this is not given; `false` says that there are none. */
  readonly censored?: { readonly lower?: number; readonly upper?: number } | false;
  /** Whether some labels are wrong. Default false. */
  readonly noisyLabels?: boolean;
  /** Whether the loss must have a second derivative everywhere, as Newton-like optimizers want it. Default false. */
  readonly smooth?: boolean;
}

/** What the parts of the search need. */
export interface Question extends Omit<SuggestLossOptions, "targets" | "output"> {
  readonly targets: Tensor;
  readonly facts: TargetFacts;
  readonly output: OutputLayer;
}

/**
 * Suggests a loss for targets: looks at what they are (dtype, shape, range, how often each value occurs, outliers and tails
 * by robust statistics, zeros, piles at a bound) and at how the network ends.
 *
 * The result is a loss: a function of predictions and of targets as they were shown, with the options that suit them (class
 * weights, `posWeight`, `delta` ...). It also says which loss it is, which last layer belongs to it, the reasons, what seems
 * wrong, and what else to consider; `String(suggestion)` is all of that as text.
 *
 * What cannot be seen must be said: that classes have an order, that some labels are wrong, that uncertainty is wanted.
 * Where targets may be several things, as 0, 1, 2 and 3 may be classes or counts, the reasons name it and `task` decides.
 *
 * @throws `invalid-argument` for targets without a finite value or options that do not fit them, `no-sync-read` on a device
 * that cannot be read without waiting (`await targets.to(...)` first), `value-in-trace` inside of `compile`.
 *
 * @example
 * ```ts
 * import { suggestLoss } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const classes = tensor([0, 0, 0, 0, 0, 0, 0, 0, 1, 2], { dtype: "i32" });
 * const suggestion = suggestLoss({ targets: classes, task: "classes" });
 * console.log(suggestion.loss, suggestion.lastLayer.units, suggestion.lastLayer.activation); // → crossEntropy 3 none
 * if (suggestion.loss === "crossEntropy") console.log(suggestion.options.weight); // → Tensor f32[3] [0.4167, 3.3333, 3.3333]
 * ```
 */
export function suggestLoss(options: SuggestLossOptions): Suggestion {
  const facts = factsOf(options.targets);
  const output = outputLayerOf(options.output);
  if (options.quantile !== undefined && !(options.quantile > 0 && options.quantile < 1)) {
    fail("invalid-argument", `suggestLoss: quantile must be between 0 and 1, got ${options.quantile}`);
  }
  const question: Question = { ...options, facts, output };
  const found = search(question);
  const warnings = [...targetWarnings(facts), ...(found.warnings ?? []), ...checkOutput(found, question)];
  return suggestionOf({ ...found, warnings });
}

function search(question: Question): Draft {
  const kind = kindOf(question);
  switch (kind) {
    case "regression":
      return suggestForNumbers(question);
    case "counts":
      return suggestForCounts(question);
    case "shares":
      return suggestForShares(question);
    case "binary":
      return suggestForYesNo(question);
    case "multilabel":
      return suggestForLabels(question);
    case "mask":
      return suggestForMasks(question);
    case "classes":
      return suggestForClasses(question);
    case "ordinal":
      return suggestForOrder(question);
    case "distribution":
      return suggestForDistributions(question);
    default:
      return fail("invalid-argument", `suggestLoss: task ${JSON.stringify(kind satisfies never)} is unknown`);
  }
}

function targetWarnings({ missing, sorted, distinct }: TargetFacts): string[] {
  const warnings: string[] = [];
  if (missing > 0) {
    const share = percent(missing / (missing + sorted.length));
    warnings.push(
      `${missing} targets (${share}) are NaN or infinite: leave their samples out, or put a number there and give them a ` +
        "sampleWeight of 0",
    );
  }
  if (distinct.size === 1) warnings.push("all targets are the same: there is nothing to learn");
  else if (sorted.length < 20) warnings.push(`${sorted.length} targets are few to tell from`);
  return warnings;
}
