import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { checkLogarithms, checkNotNegative } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface KlDivOptions extends Omit<LossOptions, "reduction"> {
  /**
   * `mean` (the default, as in PyTorch) divides by the number of elements; the divergence of distributions is
   * `batchmean`, which divides by the number of samples (axis 0).
   */
  readonly reduction?: LossOptions["reduction"] | "batchmean";
  /** Whether targets are logarithms of probabilities. Default false. */
  readonly logTarget?: boolean;
}

/**
 * The Kullback-Leibler divergence of the predicted distribution from the target, element by element
 * `t (log t - logProbabilities)`, where `0 log 0` is 0.
 *
 * Log-probabilities (f32 or f64, as `logSoftmax` returns them) and targets have the same shape. Targets are
 * probabilities, or their logarithms with `logTarget`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction and (see
 * `validate`) negative targets or weights, and log-probabilities that are probabilities or, if `validate`
 * is true, positive.
 *
 * Source: PyTorch's `nn.KLDivLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { klDiv } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const logProbabilities = tensor([[0.5, 0.5]]).log();
 * klDiv(logProbabilities, tensor([[0.25, 0.75]]), { reduction: "batchmean" }).item(); // → 0.1308
 * ```
 */
export function klDiv(logProbabilities: Tensor, targets: Tensor, options: KlDivOptions = {}): Tensor {
  const { reduction = "mean", logTarget = false, validate } = options;
  checkAlike("klDiv", "logProbabilities", logProbabilities, targets);
  const t = targets.cast(logProbabilities.dtype);
  if (!logTarget) {
    const mend = "For their logarithms there is logTarget";
    checkNotNegative("klDiv", "targets", targets, logProbabilities, validate, mend, "logProbabilities");
  }
  checkLogarithms("klDiv", logProbabilities, rowsOf(logProbabilities), validate);
  const losses = logTarget ? t.exp().mul(t.sub(logProbabilities)) : divergence(logProbabilities, t);
  if (reduction !== "batchmean") return reduceLoss("klDiv", losses, { ...options, reduction });
  if (options.sampleWeight === undefined) return losses.sum().div(losses.shape[0] ?? 1);
  const perSample = losses.shape.slice(1).reduce((a, b) => a * b, 1);
  return reduceLoss("klDiv", losses, { ...options, reduction: "mean" }).mul(perSample);
}

function divergence(logProbabilities: Tensor, t: Tensor): Tensor {
  const logarithm = t.eq(0).where(1, t).log();
  return t.mul(logarithm).sub(t.mul(logProbabilities));
}

/** How many distributions there are, on the last axis. */
function rowsOf(x: Tensor): number {
  return x.size / (x.shape.at(-1) || 1);
}
