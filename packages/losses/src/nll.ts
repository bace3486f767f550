import type { Tensor } from "@gradus/core";
import { checkTensors } from "./check-arguments.js";
import { checkLogarithms } from "./check-values.js";
import { checkClassIndices, checkClassWeight, classAxis, countClasses } from "./classes.js";
import { type IndexLossOptions, indexLosses } from "./index-losses.js";
import { reduceLoss } from "./reduce.js";

export interface NLLOptions extends IndexLossOptions {}

/**
 * The negative log-likelihood `-w[t] logProbabilities[t]` of the target classes t, averaged over the samples.
 *
 * Log-probabilities are f32 or f64, `[N, C]`, `[N, C, d1, ...]` or `[C]`, as `logSoftmax` returns them: the
 * classes are on axis 1, or 0 of a single sample. Targets are class indices: i32, the shape without the class
 * axis, which is also that of the unreduced losses. The mean divides by the sum of the targets' class
 * weights, without ignored targets; NaN if nothing counts. On logits, `crossEntropy` does both steps at once.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a class that does not exist (inside
 * `compile` the device reports it), or `invalid-argument` for an unknown reduction and (see `validate`)
 * negative weights, and log-probabilities that are probabilities or, if `validate` is true, positive.
 *
 * Source: PyTorch's `nn.NLLLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { nll } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const logProbabilities = tensor([[0.5, 0.5], [0.2, 0.8]]).log();
 * nll(logProbabilities, tensor([0, 1], { dtype: "i32" })).item(); // → 0.4581
 * ```
 */
export function nll(logProbabilities: Tensor, targets: Tensor, options: NLLOptions = {}): Tensor {
  const { weight, validate } = options;
  const first = "logProbabilities";
  checkTensors("nll", first, logProbabilities, targets);
  const axis = classAxis("nll", logProbabilities, first);
  const classes = countClasses("nll", first, logProbabilities, axis);
  if (weight !== undefined) checkClassWeight("nll", weight, classes, logProbabilities, validate);
  checkLogarithms("nll", logProbabilities, logProbabilities.size / classes, validate);
  checkClassIndices("nll", first, logProbabilities, targets, axis);
  const { losses, counts, ignored } = indexLosses("nll", logProbabilities, targets, axis, classes, options);
  return reduceLoss("nll", ignored.where(0, losses), options, counts);
}
