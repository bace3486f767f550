import type { Tensor } from "@gradus/core";
import { type BceWithLogitsOptions, bceWithLogits } from "../bce-with-logits.js";
import { corn } from "../corn.js";
import { type CrossEntropyOptions, crossEntropy } from "../cross-entropy.js";
import { type DiceOptions, dice } from "../dice.js";
import { type EarthMoverOptions, earthMover } from "../earth-mover.js";
import { type EvidentialOptions, evidential } from "../evidential.js";
import { type FocalOptions, focal } from "../focal.js";
import { type HeteroscedasticOptions, heteroscedastic } from "../heteroscedastic.js";
import { type HuberOptions, huber } from "../huber.js";
import { l1 } from "../l1.js";
import { logCosh } from "../log-cosh.js";
import { mse } from "../mse.js";
import { type NLLOptions, nll } from "../nll.js";
import { type PoissonNLLOptions, poissonNLL } from "../poisson-nll.js";
import { type QuantileOptions, quantile } from "../quantile.js";
import type { LossOptions } from "../reduce.js";
import { type TobitOptions, tobit } from "../tobit.js";
import { type TverskyOptions, tversky } from "../tversky.js";
import type { Activation } from "./output-layer.js";

/** The losses that may be suggested, with their options. */
export interface SuggestedOptions {
  readonly mse: LossOptions;
  readonly l1: LossOptions;
  readonly huber: HuberOptions;
  readonly logCosh: LossOptions;
  readonly quantile: QuantileOptions;
  readonly heteroscedastic: HeteroscedasticOptions;
  readonly evidential: EvidentialOptions;
  readonly tobit: TobitOptions;
  readonly poissonNLL: PoissonNLLOptions;
  readonly bceWithLogits: BceWithLogitsOptions;
  readonly focal: FocalOptions;
  readonly dice: DiceOptions;
  readonly tversky: TverskyOptions;
  readonly crossEntropy: CrossEntropyOptions;
  readonly nll: NLLOptions;
  readonly corn: LossOptions;
  readonly earthMover: EarthMoverOptions;
}

export type SuggestedName = keyof SuggestedOptions;

const losses: {
  readonly [Name in SuggestedName]: (
    predictions: Tensor,
    targets: Tensor,
    options?: SuggestedOptions[Name],
  ) => Tensor;
} = {
  mse,
  l1,
  huber,
  logCosh,
  quantile,
  heteroscedastic,
  evidential,
  tobit,
  poissonNLL,
  bceWithLogits,
  focal,
  dice,
  tversky,
  crossEntropy,
  nll,
  corn,
  earthMover,
};

/** What a network should end with, so that the loss gets what it wants. */
export interface LastLayer {
  /** How many numbers for each sample; undefined where the targets do not tell. */
  readonly units: number | undefined;
  readonly activation: Activation;
  /** In words, and how to read a prediction. */
  readonly description: string;
}

/**
 * A loss that fits some targets: a function of predictions and targets as they were shown, with its options already given.
 * `loss` tells which; a `switch` on it narrows `options`.
 */
export type Suggestion = { [Name in SuggestedName]: SuggestionOf<Name> }[SuggestedName];

export interface SuggestionOf<Name extends SuggestedName> {
  /** Targets may be those that were shown, or others like them; `options` are added to the suggested ones. */
  (predictions: Tensor, targets: Tensor, options?: SuggestedOptions[Name]): Tensor;
  readonly loss: Name;
  readonly options: SuggestedOptions[Name];
  readonly lastLayer: LastLayer;
  /** Why, in plain words: the first says what the targets are. */
  readonly reasons: readonly string[];
  /** What is wrong with the targets or the output layer as they are. */
  readonly warnings: readonly string[];
  /** Other losses, and when they would be better. */
  readonly alternatives: readonly Alternative[];
  /** All of it as text. */
  toString(): string;
}

export interface Alternative {
  readonly loss: string;
  readonly when: string;
}

/** What was found out, before it is made callable. */
export interface Draft<Name extends SuggestedName = SuggestedName> {
  readonly loss: Name;
  readonly options?: SuggestedOptions[Name];
  readonly lastLayer: LastLayer;
  readonly reasons: readonly string[];
  readonly warnings?: readonly string[];
  readonly alternatives?: readonly Alternative[];
  /** From targets as they are to what the loss takes. */
  readonly encode?: (targets: Tensor, predictions: Tensor) => Tensor;
}

/** A draft whose options are checked against its loss. */
export function draft<Name extends SuggestedName>(parts: Draft<Name>): Draft {
  return parts as unknown as Draft;
}

export function suggestionOf(parts: Draft): Suggestion {
  const { loss, options = {}, lastLayer, reasons, warnings = [], alternatives = [] } = parts;
  const compute = losses[loss] as (predictions: Tensor, targets: Tensor, options: object) => Tensor;
  const { encode = alike } = parts;
  const call = (predictions: Tensor, targets: Tensor, more?: object): Tensor =>
    compute(predictions, encode(targets, predictions), { ...options, ...more });
  const properties = { loss, options, lastLayer, reasons, warnings, alternatives };
  return Object.assign(call, properties, { toString: () => describe(properties) }) as unknown as Suggestion;
}

/** Targets in the shape of the predictions, where only axes of size 1 are between them. */
export function alike(targets: Tensor, predictions: Tensor): Tensor {
  const differ = `${targets.shape.filter((n) => n !== 1)}` !== `${predictions.shape.filter((n) => n !== 1)}`;
  return differ || targets.ndim === predictions.ndim ? targets : targets.reshape(predictions.shape);
}

function describe(
  parts: Pick<Suggestion, "options" | "lastLayer" | "reasons" | "warnings" | "alternatives"> & {
    readonly loss: string;
  },
): string {
  const options = Object.entries(parts.options).map(([name, value]) => `${name}: ${String(value)}`);
  const given = options.length === 0 ? "" : `, { ${options.join(", ")} }`;
  return [
    `${parts.loss}(predictions, targets${given})`,
    `last layer: ${parts.lastLayer.description}`,
    ...parts.reasons.map((reason) => `- ${reason}`),
    ...parts.warnings.map((warning) => `! ${warning}`),
    ...parts.alternatives.map(({ loss, when }) => `or ${loss}: ${when}`),
  ].join("\n");
}

/** 0.0312 as `3.1 %`. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

/** A number in few digits. */
export function short(x: number): string {
  return String(Number(x.toPrecision(3)));
}
