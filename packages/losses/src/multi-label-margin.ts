import { fail, formatShape, type Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { checkLabels } from "./check-values.js";
import { countClasses } from "./classes.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

/**
 * The hinge loss for several labels per sample: the sum of `max(0, 1 - x[t] + x[c]) / C` over the sample's
 * labels t and all classes c that are not among them, averaged over the samples.
 *
 * Scores (f32 or f64) and targets (i32) have the same shape, `[N, C]` or `[C]`. A row of targets lists the
 * sample's labels; what follows the first -1 is not looked at.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, `index-out-of-range` for a label that is neither a class nor
 * -1, or `invalid-argument` for an unknown reduction or a negative `sampleWeight`.
 *
 * Source: PyTorch's `nn.MultiLabelMarginLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { multiLabelMargin } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const labels = tensor([[3, 0, -1, 1]], { dtype: "i32" });
 * multiLabelMargin(tensor([[0.1, 0.2, 0.4, 0.8]]), labels).item(); // → 0.85
 * ```
 */
export function multiLabelMargin(scores: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  checkAlike("multiLabelMargin", "scores", scores, targets);
  if (scores.ndim !== 1 && scores.ndim !== 2) {
    fail(
      "shape-mismatch",
      `multiLabelMargin: scores must be [N, C] or [C], got ${formatShape(scores.shape)}`,
    );
  }
  if (targets.dtype !== "i32") {
    fail(
      "dtype-mismatch",
      `multiLabelMargin: labels must be i32, got ${targets.dtype}. For a 0 or 1 per class there is multiLabelSoftMargin`,
    );
  }
  const axis = scores.ndim - 1;
  const classes = countClasses("multiLabelMargin", "scores", scores, axis);
  checkLabels("multiLabelMargin", targets, classes, scores, options.validate);
  const listed = isListed(targets, classes, axis);
  const index = listed.where(targets, 0);
  const isLabel = scores.zerosLike().scatterAdd(axis, index, listed.cast(scores.dtype)).gt(0);
  const label = scores.gather(axis, index).unsqueeze(axis + 1);
  const short = scores.unsqueeze(axis).sub(label).add(1).relu();
  const counts = listed.unsqueeze(axis + 1).logicalAnd(isLabel.logicalNot().unsqueeze(axis));
  const losses = counts
    .where(short, 0)
    .sum([axis, axis + 1])
    .div(classes);
  return reduceLoss("multiLabelMargin", losses, options);
}

/** Which entries stand before the first -1 of their row. */
function isListed(targets: Tensor, classes: number, axis: number): Tensor {
  const ends = targets.eq(-1);
  const first = ends.cast("i32").argmax(axis, { keepdims: true });
  const length = ends.any(axis, { keepdims: true }).where(first, classes);
  return targets.engine.arange(0, classes, 1, { dtype: "i32", device: targets.device }).lt(length);
}
