import { fail, type Tensor } from "@gradus/core";
import { checkTensors } from "./check-arguments.js";
import { checkClasses, checkProbabilities } from "./check-values.js";
import { classCosts } from "./class-costs.js";
import { checkClassWeight, classAxis, countClasses, targetKind, weightOfClasses } from "./classes.js";
import { checkIgnoreIndex, type IndexLossOptions } from "./index-losses.js";
import { reduceLoss, reduceScaled, scalesOf } from "./reduce.js";

export interface CrossEntropyOptions extends IndexLossOptions {
  /** The part of each target that is spread evenly over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * The cross-entropy `-sum over c of w[c] t[c] log softmax(logits)[c]` of logits and targets, averaged over
 * the samples.
 *
 * Logits are f32 or f64, `[N, C]`, `[N, C, d1, ...]` or `[C]`: the classes are on axis 1, or 0 of a single
 * sample. Targets are either class indices (i32, the logits' shape without the class axis) or a probability
 * for each class (f32 or f64, the logits' shape). Without reduction the result has the shape of the indices.
 *
 * The mean over class indices is weighted by the targets' class weights and leaves out ignored targets: sum
 * over `weight[target]`; NaN if nothing counts. The mean over probabilities divides by the number of samples.
 * Values and gradients are finite for logits of any size.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a class that does not exist (inside
 * `compile` the device reports it), or `invalid-argument` for an unknown reduction, a `labelSmoothing`
 * outside of [0, 1], an `ignoreIndex` with probabilities, and (see `validate`) probabilities outside of [0,
 * 1] or negative weights.
 *
 * Source: PyTorch's `nn.CrossEntropyLoss`; `sampleWeight` is an addition. Label smoothing: Szegedy et al.,
 * "Rethinking the Inception Architecture for Computer Vision", 2016.
 *
 * @example
 * ```ts
 * import { crossEntropy } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const logits = tensor([[0.2, 0.5, 0.3], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7]]);
 * const classes = tensor([1, 0, 2], { dtype: "i32" });
 * crossEntropy(logits, classes).item(); // → 0.799169
 * crossEntropy(logits, classes, { labelSmoothing: 0.1 }).item(); // → 0.832502
 * ```
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight, labelSmoothing = 0, validate } = options;
  checkTensors("crossEntropy", "logits", logits, targets);
  const axis = classAxis("crossEntropy", logits);
  const classes = countClasses("crossEntropy", "logits", logits, axis);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    fail("invalid-argument", `crossEntropy: labelSmoothing must be in [0, 1], got ${labelSmoothing}`);
  }
  if (weight !== undefined) checkClassWeight("crossEntropy", weight, classes, logits, validate);
  return targetKind("crossEntropy", logits, targets, axis) === "indices"
    ? indexCrossEntropy(logits, targets, axis, classes, options)
    : probabilityCrossEntropy(logits, targets, axis, classes, options);
}

function indexCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  axis: number,
  classes: number,
  options: CrossEntropyOptions,
): Tensor {
  const { weight, labelSmoothing = 0, validate } = options;
  const ignoreIndex = checkIgnoreIndex("crossEntropy", options.ignoreIndex);
  checkClasses("crossEntropy", targets, classes, ignoreIndex, logits, validate);
  const ignored = targets.eq(ignoreIndex);
  let counts = ignored.logicalNot().cast(logits.dtype);
  if (weight !== undefined) counts = counts.mul(weightOfClasses(weight, ignored.where(0, targets), logits));
  if (weight === undefined || labelSmoothing === 0) {
    const scales = scalesOf("crossEntropy", counts, options);
    const costs = classCosts(logits, targets, { axis, ignoreIndex, smoothing: labelSmoothing });
    return reduceScaled("crossEntropy", costs, scales, options);
  }
  // The classes' weights are those of the targets in one part, those of all classes in the other.
  const costs = classCosts(logits, targets, { axis, ignoreIndex, smoothing: 0 }).mul(counts);
  const spread = weighted(logits.logSoftmax(axis), weight, axis).sum(axis).neg();
  const losses = costs.mul(1 - labelSmoothing).add(spread.mul(labelSmoothing / classes));
  // Selected last, so that no gradient, not even 0 times infinity, passes through an ignored target.
  return reduceLoss("crossEntropy", ignored.where(0, losses), options, counts);
}

function probabilityCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  axis: number,
  classes: number,
  options: CrossEntropyOptions,
): Tensor {
  const { weight, ignoreIndex, labelSmoothing = 0, validate } = options;
  if (ignoreIndex !== undefined) {
    fail(
      "invalid-argument",
      "crossEntropy: ignoreIndex means nothing for probabilities. Give the samples to ignore a sampleWeight of 0",
    );
  }
  const mend = "Class indices are i32, of the logits' shape without the class axis";
  checkProbabilities("crossEntropy", "target probabilities", targets, logits, validate, mend, "logits");
  let probabilities = targets.cast(logits.dtype);
  if (labelSmoothing > 0) probabilities = probabilities.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const losses = weighted(logits.logSoftmax(axis).mul(probabilities), weight, axis).sum(axis).neg();
  return reduceLoss("crossEntropy", losses, options);
}

/** Terms of all classes times the classes' weights. */
function weighted(terms: Tensor, weight: Tensor | undefined, axis: number): Tensor {
  if (weight === undefined) return terms;
  const shape = terms.shape.map((n, i) => (i === axis ? n : 1));
  return terms.mul(weight.cast(terms.dtype).reshape(shape));
}
