export { type AccuracyOptions, accuracy } from "./accuracy.js";
export { type BceOptions, bce } from "./bce.js";
export { type BceWithLogitsOptions, bceWithLogits } from "./bce-with-logits.js";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.js";
export { mse } from "./mse.js";
export type { LossOptions } from "./reduce.js";
