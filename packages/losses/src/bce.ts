import type { Tensor } from "@gradus/core";
import { checkAlike, checkBroadcasts } from "./check-arguments.js";
import { checkProbabilities, checkTargetProbabilities, checkWeight } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface BceOptions extends LossOptions {
  /**
   * Multiplies the losses before they are reduced; broadcasts to their shape. Unlike `sampleWeight` it leaves
   * the mean's denominator alone, as in PyTorch.
   */
  readonly weight?: Tensor;
}

/**
 * The binary cross-entropy `-(t log p + (1 - t) log(1 - p))` of probabilities `p` and targets `t`, averaged.
 *
 * Probabilities (f32 or f64) and targets have the same shape; targets are 0 and 1 or anything between.
 * Logarithms are not less than -100, so the loss is finite at probabilities of exactly 0 and 1, where its
 * gradient is PyTorch's: `(p - t) / max(p (1 - p), 1e-12)`. Where the probabilities come from a sigmoid,
 * `bceWithLogits` on what went into it is more accurate and does not saturate.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction, and (see
 * `validate`) for probabilities or targets outside of [0, 1] or negative weights.
 *
 * Source: PyTorch's `nn.BCELoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { bce } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const loss = bce(tensor([0.7, 0.3, 0.9]), tensor([1, 0, 1]));
 * loss.item(); // → 0.2729
 * ```
 */
export function bce(probabilities: Tensor, targets: Tensor, options: BceOptions = {}): Tensor {
  const { weight, validate } = options;
  checkAlike("bce", "probabilities", probabilities, targets);
  const logits = "For logits there is bceWithLogits";
  checkProbabilities("bce", "probabilities", probabilities, probabilities, validate, logits);
  checkTargetProbabilities("bce", "probabilities", targets, probabilities, validate);
  let losses = elementwiseBce(probabilities, targets.cast(probabilities.dtype));
  if (weight !== undefined) {
    checkWeight("bce", "weight", weight, losses, validate);
    checkBroadcasts("bce", "weight", weight, losses.shape);
    losses = losses.mul(weight.cast(losses.dtype));
  }
  return reduceLoss("bce", losses, options);
}

/** With a gradient of its own: that of the clamped logarithm would be 0, or NaN, at exactly 0 and 1. */
function elementwiseBce(probabilities: Tensor, targets: Tensor): Tensor {
  const [p, t] = [probabilities.detach(), targets.detach()];
  const value = t
    .sub(1)
    .mul(logOfRest(p))
    .sub(t.mul(clampedLog(p)));
  const [losses] = probabilities.engine.record("bce", [probabilities, targets], [value], ([dy], needs) => {
    if (dy === undefined) return [undefined, undefined];
    const slope = (): Tensor => {
      const spread = probabilities.mul(probabilities.neg().add(1)).maximum(1e-12);
      return probabilities.sub(targets).div(spread);
    };
    return [
      needs[0] === true ? dy.mul(slope()) : undefined,
      needs[1] === true ? dy.mul(logOfRest(probabilities).sub(clampedLog(probabilities))) : undefined,
    ];
  });
  return losses as Tensor;
}

function clampedLog(p: Tensor): Tensor {
  return p.log().maximum(-100);
}

/** `log(1 - p)`, also where p is tiny. */
function logOfRest(p: Tensor): Tensor {
  return p.neg().log1p().maximum(-100);
}
