import type { Reduction, Tensor } from "@gradus/core";
import {
  bce,
  bceWithLogits,
  cosineEmbedding,
  crossEntropy,
  ctc,
  gaussianNLL,
  hinge,
  hingeEmbedding,
  huber,
  klDiv,
  l1,
  marginRanking,
  mse,
  multiLabelMargin,
  multiLabelSoftMargin,
  multiMargin,
  nll,
  poissonNLL,
  smoothL1,
  softMargin,
  tripletMargin,
} from "@gradus/losses";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { OptionValues } from "./schema/cases.js";
import { unsupported } from "./unsupported.js";

/** A loss of PyTorch's in terms of this library: from its inputs, in order, and its constructor's options. */
type Translation = (inputs: readonly Tensor[], options: Options, reduction: Reduction) => Tensor;

export const losses: Readonly<Record<string, Translation>> = {
  MSELoss: ([input, target], _, reduction) => mse(input as Tensor, target as Tensor, { reduction }),
  BCELoss: ([input, target], options, reduction) =>
    bce(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
    }),
  BCEWithLogitsLoss: ([input, target], options, reduction) =>
    bceWithLogits(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
      ...tensorOption("posWeight", options.tensor("pos_weight")),
    }),
  CrossEntropyLoss: ([input, target], options, reduction) =>
    crossEntropy(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
      ...(options.has("ignore_index") && { ignoreIndex: options.number("ignore_index") }),
      ...(options.has("label_smoothing") && { labelSmoothing: options.number("label_smoothing") }),
    }),
  NLLLoss: ([input, target], options, reduction) =>
    nll(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
      ...(options.has("ignore_index") && { ignoreIndex: options.number("ignore_index") }),
    }),
  L1Loss: ([input, target], _, reduction) => l1(input as Tensor, target as Tensor, { reduction }),
  SmoothL1Loss: ([input, target], options, reduction) =>
    smoothL1(input as Tensor, target as Tensor, { reduction, beta: options.number("beta", 1) }),
  HuberLoss: ([input, target], options, reduction) =>
    huber(input as Tensor, target as Tensor, { reduction, delta: options.number("delta", 1) }),
  PoissonNLLLoss: ([input, target], options, reduction) =>
    poissonNLL(input as Tensor, target as Tensor, {
      reduction,
      logInput: options.boolean("log_input", true),
      full: options.boolean("full", false),
      eps: options.number("eps", 1e-8),
    }),
  GaussianNLLLoss: ([input, target, variance], options, reduction) =>
    gaussianNLL(input as Tensor, target as Tensor, variance as Tensor, {
      reduction,
      full: options.boolean("full", false),
      eps: options.number("eps", 1e-6),
    }),
  HingeLoss: ([input, target], options, reduction) =>
    hinge(input as Tensor, target as Tensor, {
      reduction,
      margin: options.number("margin", 1),
      p: options.number("p", 1) as 1 | 2,
    }),
  HingeEmbeddingLoss: ([input, target], options, reduction) =>
    hingeEmbedding(input as Tensor, target as Tensor, { reduction, margin: options.number("margin", 1) }),
  CosineEmbeddingLoss: ([first, second, target], options, reduction) =>
    cosineEmbedding(first as Tensor, second as Tensor, target as Tensor, {
      reduction,
      margin: options.number("margin", 0),
    }),
  MarginRankingLoss: ([first, second, target], options, reduction) =>
    marginRanking(first as Tensor, second as Tensor, target as Tensor, {
      reduction,
      margin: options.number("margin", 0),
    }),
  TripletMarginLoss: ([anchor, positive, negative], options, reduction) =>
    tripletMargin(anchor as Tensor, positive as Tensor, negative as Tensor, {
      reduction,
      margin: options.number("margin", 1),
      p: options.number("p", 2),
      eps: options.number("eps", 1e-6),
      swap: options.boolean("swap", false),
    }),
  MultiMarginLoss: ([input, target], options, reduction) =>
    multiMargin(input as Tensor, target as Tensor, {
      reduction,
      margin: options.number("margin", 1),
      p: options.number("p", 1) as 1 | 2,
      ...tensorOption("weight", options.tensor("weight")),
    }),
  MultiLabelMarginLoss: ([input, target], _, reduction) =>
    multiLabelMargin(input as Tensor, target as Tensor, { reduction }),
  MultiLabelSoftMarginLoss: ([input, target], options, reduction) =>
    multiLabelSoftMargin(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
    }),
  SoftMarginLoss: ([input, target], _, reduction) =>
    softMargin(input as Tensor, target as Tensor, { reduction }),
  // The cases give logits, PyTorch's loss takes log-probabilities.
  CTCLoss: ([logits, targets, inputLengths, targetLengths], options, reduction) =>
    ctc(
      (logits as Tensor).logSoftmax(-1),
      targets as Tensor,
      inputLengths as Tensor,
      targetLengths as Tensor,
      {
        reduction,
        blank: options.number("blank", 0),
        zeroInfinity: options.boolean("zero_infinity", false),
      },
    ),
  KLDivLoss: ([input, target], options, reduction: Reduction | "batchmean") =>
    klDiv(input as Tensor, target as Tensor, { reduction, logTarget: options.boolean("log_target", false) }),
};

function tensorOption<Name extends string>(
  name: Name,
  value: Tensor | undefined,
): { readonly [K in Name]?: Tensor } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [K in Name]?: Tensor });
}

/** The loss of a name as a function of its inputs and the reduction. */
export function lossCall(
  name: string,
  options: OptionValues,
  lab: Lab,
): (inputs: readonly Tensor[], reduction: string) => Tensor {
  const translation = Object.hasOwn(losses, name) ? losses[name] : undefined;
  if (translation === undefined) return unsupported(name);
  return (inputs, reduction) => {
    const known = ["none", "mean", "sum"].includes(reduction);
    if (!known && !(name === "KLDivLoss" && reduction === "batchmean")) {
      return unsupported(`${name} with reduction ${reduction}`);
    }
    const read = new Options(options, name, lab);
    read.ignore("reduction");
    const loss = translation(inputs, read, reduction as Reduction);
    read.finish();
    return loss;
  };
}
