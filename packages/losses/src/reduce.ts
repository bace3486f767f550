import { fail, formatShape, type Reduction, sameShape, type Tensor } from "@gradus/core";
import { checkWeight } from "./check-values.js";

/** What every loss of this package takes. */
export interface LossOptions {
  /**
   * `none` keeps one loss per element (or sample), `sum` adds them up, `mean` (the default) averages them.
   */
  readonly reduction?: Reduction;
  /**
   * How much each sample counts: one number per sample (`[N]`, along axis 0), or one for each unreduced loss.
   * It multiplies the losses before they are reduced, and the mean becomes a weighted mean: the weighted
   * losses' sum over the weights' sum. So equal weights change nothing, and a sample of weight 0 counts
   * for nothing.
   */
  readonly sampleWeight?: Tensor;
  /**
   * Whether to look at values: classes that do not exist, probabilities outside of [0, 1], negative weights.
   * By default this is done where it costs no waiting: eagerly, on a device that can be read synchronously,
   * and never inside `compile`. `false` saves the reads; `true` insists, and throws `value-in-trace` or
   * `no-sync-read` where it cannot.
   */
  readonly validate?: boolean;
}

/**
 * Weights and reduces unreduced losses.
 *
 * @param counts How much each of `losses` counts in the mean's denominator, of the shape of `losses`; 1 each
 * by default.
 */
export function reduceLoss(loss: string, losses: Tensor, options: LossOptions, counts?: Tensor): Tensor {
  const { reduction = "mean", sampleWeight, validate } = options;
  if (sampleWeight === undefined) return reduce(loss, losses, reduction, counts);
  checkWeight(loss, "sampleWeight", sampleWeight, losses, validate);
  const weight = perLoss(loss, sampleWeight, losses);
  return reduce(loss, losses.mul(weight), reduction, counts === undefined ? weight : counts.mul(weight));
}

/**
 * By what each loss is multiplied before the losses are added up (or left unreduced): its `counts` times its sample's
 * weight, for the mean divided by the total. It is known before the losses are, and the gradient by them is no more than
 * this: so a compiled step can write gradients in the kernel that computes the losses.
 */
export function scalesOf(loss: string, counts: Tensor, options: LossOptions): Tensor {
  const { reduction = "mean", sampleWeight, validate } = options;
  let scales = counts;
  if (sampleWeight !== undefined) {
    checkWeight(loss, "sampleWeight", sampleWeight, counts, validate);
    scales = counts.mul(perLoss(loss, sampleWeight, counts));
  }
  return reduction === "mean" ? scales.div(scales.sum()) : scales;
}

/** {@link reduceLoss} of losses that are still to be multiplied by their scales. */
export function reduceScaled(loss: string, losses: Tensor, scales: Tensor, options: LossOptions): Tensor {
  const { reduction = "mean" } = options;
  // A mean of nothing is not a sum of nothing.
  const rest = reduction === "mean" && losses.size > 0 ? "sum" : reduction;
  return reduce(loss, losses.mul(scales), rest, undefined);
}

function reduce(loss: string, losses: Tensor, reduction: Reduction, counts: Tensor | undefined): Tensor {
  switch (reduction) {
    case "none":
      return losses;
    case "sum":
      return losses.sum();
    case "mean":
      return counts === undefined ? losses.mean() : losses.sum().div(counts.sum());
    default:
      return fail(
        "invalid-argument",
        `${loss}: reduction ${JSON.stringify(reduction satisfies never)} is unknown: use "none", "mean" or "sum"`,
      );
  }
}

/** The weights with the shape of the losses. */
function perLoss(loss: string, sampleWeight: Tensor, losses: Tensor): Tensor {
  const weight = sampleWeight.cast(losses.dtype);
  if (sameShape(weight.shape, losses.shape)) return weight;
  const [samples] = losses.shape;
  if (samples === undefined || !sameShape(weight.shape, [samples])) {
    const perSample = samples === undefined ? "" : ` or one per sample, ${formatShape([samples])}`;
    fail(
      "shape-mismatch",
      `${loss}: sampleWeight has shape ${formatShape(weight.shape)}: expected one weight per loss, ` +
        `${formatShape(losses.shape)}${perSample}`,
    );
  }
  return weight.reshape([samples, ...losses.shape.slice(1).map(() => 1)]).expand(losses.shape);
}
