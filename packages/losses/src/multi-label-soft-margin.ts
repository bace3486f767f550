import { fail, type Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { checkTargetProbabilities } from "./check-values.js";
import { checkClassWeight, countClasses } from "./classes.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface MultiLabelSoftMarginOptions extends LossOptions {
  /** How much each class counts, `[C]`; 1 each by default. The mean over the classes still divides by C. */
  readonly weight?: Tensor;
}

/**
 * The binary cross-entropy of `sigmoid(logits)` for each class, averaged over the classes (the last axis)
 * and the samples: `-w (t log sigmoid(x) + (1 - t) log sigmoid(-x))`.
 *
 * Logits (f32 or f64) and targets have the same shape, `[N, C]` or `[C]`; targets are 0 and 1 or anything
 * between. The unreduced losses lack the last axis. Finite for logits of any size.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction, and (see
 * `validate`) for targets outside of [0, 1] or negative weights.
 *
 * Source: PyTorch's `nn.MultiLabelSoftMarginLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { multiLabelSoftMargin } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * multiLabelSoftMargin(tensor([[0, 10_000]]), tensor([[1, 1]])).item(); // → 0.3466
 * ```
 */
export function multiLabelSoftMargin(
  logits: Tensor,
  targets: Tensor,
  options: MultiLabelSoftMarginOptions = {},
): Tensor {
  const { weight, validate } = options;
  checkAlike("multiLabelSoftMargin", "logits", logits, targets);
  if (logits.ndim === 0) {
    fail("shape-mismatch", "multiLabelSoftMargin: logits must have an axis of classes, [N, C] or [C]");
  }
  checkTargetProbabilities("multiLabelSoftMargin", "logits", targets, logits, validate);
  const t = targets.cast(logits.dtype);
  let terms = t.mul(logits.neg().softplus()).add(t.neg().add(1).mul(logits.softplus()));
  if (weight !== undefined) {
    const classes = countClasses("multiLabelSoftMargin", "logits", logits, logits.ndim - 1);
    checkClassWeight("multiLabelSoftMargin", weight, classes, logits, validate);
    terms = terms.mul(weight.cast(terms.dtype));
  }
  return reduceLoss("multiLabelSoftMargin", terms.mean(-1), options);
}
