import { fail, formatShape, sameShape, type Tensor } from "@gradus/core";
import { checkAlike, checkTensors } from "./check-arguments.js";
import { checkSigns } from "./check-values.js";
import { positivePart } from "./positive-part.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface CosineEmbeddingOptions extends LossOptions {
  /** The cosine below which a dissimilar pair costs nothing, from -1 to 1. Default 0. */
  readonly margin?: number;
}

/**
 * Of the cosine c of the angle between two vectors: `1 - c` where they are similar (target 1),
 * `max(0, c - margin)` where they are not (-1), averaged.
 *
 * Both inputs are f32 or f64, `[N, D]`, with targets `[N]`; or `[D]` with a 0-dimensional target. To the
 * squared lengths 1e-12 is added, so that a vector of zeros has cosine 0.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for an unknown reduction and (see
 * `validate`) targets other than 1 and -1 or negative weights.
 *
 * Source: PyTorch's `nn.CosineEmbeddingLoss`; `sampleWeight` is an addition.
 *
 * @example
 * ```ts
 * import { cosineEmbedding } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [a, b] = [tensor([[1, 0], [1, 0]]), tensor([[0, 2], [3, 0]])];
 * cosineEmbedding(a, b, tensor([1, -1])).item(); // → 1
 * ```
 */
export function cosineEmbedding(
  first: Tensor,
  second: Tensor,
  targets: Tensor,
  options: CosineEmbeddingOptions = {},
): Tensor {
  const { margin = 0, validate } = options;
  checkAlike("cosineEmbedding", "first", first, second, "second");
  checkTensors("cosineEmbedding", "first", first, targets);
  if (first.ndim === 0 || first.ndim > 2 || !sameShape(targets.shape, first.shape.slice(0, -1))) {
    fail(
      "shape-mismatch",
      `cosineEmbedding: targets ${formatShape(targets.shape)} do not fit vectors ${formatShape(first.shape)}: expected ` +
        "[N, D] with one target per pair, [N], or [D] with a 0-dimensional target",
    );
  }
  checkSigns("cosineEmbedding", targets, first, validate);
  const length = (x: Tensor): Tensor => x.square().sum(-1).add(1e-12).sqrt();
  const cosine = first.mul(second).sum(-1).div(length(first)).div(length(second));
  const losses = targets.eq(1).where(cosine.neg().add(1), positivePart(cosine.sub(margin)));
  return reduceLoss("cosineEmbedding", losses, options);
}
