export { type AccuracyOptions, accuracy } from "./accuracy.js";
export { type BceOptions, bce } from "./bce.js";
export { type BceWithLogitsOptions, bceWithLogits } from "./bce-with-logits.js";
export { type CoralOptions, coral } from "./coral.js";
export { corn } from "./corn.js";
export { type CosineEmbeddingOptions, cosineEmbedding } from "./cosine-embedding.js";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.js";
export { type CtcOptions, ctc } from "./ctc.js";
export { type DiceOptions, dice } from "./dice.js";
export { type EarthMoverOptions, earthMover } from "./earth-mover.js";
export { type Evidence, type EvidentialOptions, evidence, evidential } from "./evidential.js";
export { type FocalOptions, focal } from "./focal.js";
export { type GaussianNLLOptions, gaussianNLL } from "./gaussian-nll.js";
export { type HeteroscedasticOptions, heteroscedastic } from "./heteroscedastic.js";
export { type HingeOptions, hinge } from "./hinge.js";
export { type HingeEmbeddingOptions, hingeEmbedding } from "./hinge-embedding.js";
export { type HuberOptions, huber } from "./huber.js";
export { type InfoNCEOptions, infoNCE } from "./info-nce.js";
export { type KlDivOptions, klDiv } from "./kl-div.js";
export { l1 } from "./l1.js";
export { logCosh } from "./log-cosh.js";
export { type MarginRankingOptions, marginRanking } from "./margin-ranking.js";
export { mse } from "./mse.js";
export { multiLabelMargin } from "./multi-label-margin.js";
export { type MultiLabelSoftMarginOptions, multiLabelSoftMargin } from "./multi-label-soft-margin.js";
export { type MultiMarginOptions, multiMargin } from "./multi-margin.js";
export { type NLLOptions, nll } from "./nll.js";
export { type NtXentOptions, ntXent } from "./nt-xent.js";
export { type PoissonNLLOptions, poissonNLL } from "./poisson-nll.js";
export { type QuantileOptions, quantile } from "./quantile.js";
export type { LossOptions } from "./reduce.js";
export { type SmoothL1Options, smoothL1 } from "./smooth-l1.js";
export { softMargin } from "./soft-margin.js";
export type { Activation, OutputLayer } from "./suggest/output-layer.js";
export type {
  Alternative,
  LastLayer,
  SuggestedName,
  SuggestedOptions,
  Suggestion,
  SuggestionOf,
} from "./suggest/suggestion.js";
export { type SuggestLossOptions, suggestLoss, type Task } from "./suggest-loss.js";
export { type TobitOptions, tobit } from "./tobit.js";
export { type TripletMarginOptions, tripletMargin } from "./triplet-margin.js";
export { type TverskyOptions, tversky } from "./tversky.js";
export { type Wasserstein1dOptions, wasserstein1d } from "./wasserstein1d.js";
