import { fail, formatShape, type Tensor } from "@gradus/core";
import { checkPower, checkTensors } from "./check-arguments.js";
import { checkClasses } from "./check-values.js";
import { checkClassIndices, checkClassWeight, countClasses, weightOfClasses } from "./classes.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface MultiMarginOptions extends LossOptions {
  /** By how much the target's score must exceed the others to cost nothing. Default 1. */
  readonly margin?: number;
  /** 1 (the default), or 2 to square each term. */
  readonly p?: 1 | 2;
  /** How much each class counts as a target, `[C]`; 1 each by default. The mean's denominator stays N. */
  readonly weight?: Tensor;
}

/**
 * The hinge loss for several classes, `sum over c other than t of w[t] max(0, margin - x[t] + x[c])^p / C`,
 * averaged over the samples.
 *
 * Scores are f32 or f64, `[N, C]` with class indices `[N]` (i32), or `[C]` with a 0-dimensional target.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a class that does not exist, or
 * `invalid-argument` for a `p` other than 1 and 2, an unknown reduction, and (see `validate`) negative
 * weights.
 *
 * Source: PyTorch's `nn.MultiMarginLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { multiMargin } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * multiMargin(tensor([[0.1, 0.2, 0.4, 0.8]]), tensor([3], { dtype: "i32" })).item(); // → 0.325
 * ```
 */
export function multiMargin(scores: Tensor, targets: Tensor, options: MultiMarginOptions = {}): Tensor {
  const { margin = 1, p = 1, weight, validate } = options;
  checkTensors("multiMargin", "scores", scores, targets);
  checkPower("multiMargin", p);
  if (scores.ndim !== 1 && scores.ndim !== 2) {
    fail("shape-mismatch", `multiMargin: scores must be [N, C] or [C], got ${formatShape(scores.shape)}`);
  }
  const axis = scores.ndim - 1;
  const classes = countClasses("multiMargin", "scores", scores, axis);
  checkClassIndices("multiMargin", "scores", scores, targets, axis);
  checkClasses("multiMargin", targets, classes, undefined, scores, validate);
  const index = targets.unsqueeze(axis);
  const short = scores.sub(scores.gather(axis, index)).add(margin).relu();
  const every = scores.engine.arange(0, classes, 1, { dtype: "i32", device: scores.device });
  let terms = index.eq(every).where(0, p === 1 ? short : short.square());
  if (weight !== undefined) {
    checkClassWeight("multiMargin", weight, classes, scores, validate);
    terms = terms.mul(weightOfClasses(weight, index, terms));
  }
  return reduceLoss("multiMargin", terms.mean(axis), options);
}
