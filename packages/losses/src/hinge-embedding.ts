import type { Tensor } from "@gradus/core";
import { checkAlike } from "./check-arguments.js";
import { checkSigns } from "./check-values.js";
import { positivePart } from "./positive-part.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface HingeEmbeddingOptions extends LossOptions {
  /** The distance from which on a dissimilar pair costs nothing. Default 1. */
  readonly margin?: number;
}

/**
 * Of distances x of pairs: x where the pair is similar (target 1), `max(0, margin - x)` where it is not
 * (-1), averaged.
 *
 * Distances (f32 or f64) and targets have the same shape.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction and (see
 * `validate`) targets other than 1 and -1 or negative weights.
 *
 * Source: PyTorch's `nn.HingeEmbeddingLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { hingeEmbedding } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * hingeEmbedding(tensor([0.5, 0.25]), tensor([1, -1])).item(); // → 0.625
 * ```
 */
export function hingeEmbedding(
  distances: Tensor,
  targets: Tensor,
  options: HingeEmbeddingOptions = {},
): Tensor {
  const { margin = 1, validate } = options;
  checkAlike("hingeEmbedding", "distances", distances, targets);
  checkSigns("hingeEmbedding", targets, distances, validate, "distances");
  const losses = targets.eq(1).where(distances, positivePart(distances.neg().add(margin)));
  return reduceLoss("hingeEmbedding", losses, options);
}
