import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { checkSigns } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

/**
 * The logistic loss `log(1 + exp(-t x))` of logits x and targets t, averaged.
 *
 * Logits (f32 or f64) and targets have the same shape; targets are 1 or -1. Finite for logits of any size,
 * where PyTorch 1.13 overflows.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction and (see
 * `validate`) targets other than 1 and -1 or negative weights.
 *
 * Source: PyTorch's `nn.SoftMarginLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { softMargin } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const losses = softMargin(tensor([0, 10_000]), tensor([1, -1]), { reduction: "none" });
 * console.log(losses); // → Tensor f32[2] [0.6931, 10000]
 * ```
 */
export function softMargin(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  checkAlike("softMargin", "logits", logits, targets);
  checkSigns("softMargin", targets, logits, options.validate, "logits");
  return reduceLoss("softMargin", targets.cast(logits.dtype).mul(logits).neg().softplus(), options);
}
