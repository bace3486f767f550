import { fail, type Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { positivePart } from "./positive-part.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface TripletMarginOptions extends LossOptions {
  /** How much farther than the positive the negative must be to cost nothing. Default 1. */
  readonly margin?: number;
  /** Which norm the distance is, more than 0. Default 2. */
  readonly p?: number;
  /** Added to the differences before the norm is taken. Default 1e-6. */
  readonly eps?: number;
  /** Whether the negative's distance is that to the anchor or to the positive, whichever is less. Default false. */
  readonly swap?: boolean;
  /** Another distance, instead of the norm: one number for each pair. `p` and `eps` then mean nothing. */
  readonly distance?: (a: Tensor, b: Tensor) => Tensor;
}

/**
 * `max(0, d(anchor, positive) - d(anchor, negative) + margin)`, averaged, where d is the norm of the
 * difference, or a distance of yours.
 *
 * All three are f32 or f64, `[N, D]`, or `[D]` for one triplet; the losses lack the last axis.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `p` that is not positive, an
 * unknown reduction or a negative `sampleWeight`.
 *
 * Source: PyTorch's `nn.TripletMarginLoss` and `nn.TripletMarginWithDistanceLoss`; `sampleWeight` is an
 * addition. Balntas et al., "Learning Shallow Convolutional Feature Descriptors with Triplet Losses", 2016.
 *
 * @example
 * ```ts
 * import { tripletMargin } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [anchor, positive, negative] = [tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 2]])];
 * tripletMargin(anchor, positive, negative).item(); // → 4.0000
 * const distance = (a: typeof anchor, b: typeof anchor) => a.sub(b).abs().max(-1);
 * tripletMargin(anchor, positive, negative, { distance }).item(); // → 3
 * ```
 */
export function tripletMargin(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor {
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  for (const [name, x] of [["positive", positive] as const, ["negative", negative] as const]) {
    checkAlike("tripletMargin", "anchor", anchor, x, name);
  }
  if (anchor.ndim === 0) {
    fail("shape-mismatch", "tripletMargin: expected vectors, [N, D] or [D], got 0-dimensional tensors");
  }
  checkOption("tripletMargin", "p", p, p > 0, "more than 0");
  const { distance = (a, b) => a.sub(b).add(eps).norm(-1, { p }) } = options;
  const near = distance(anchor, positive);
  const far = distance(anchor, negative);
  const farther = swap ? far.minimum(distance(positive, negative)) : far;
  return reduceLoss("tripletMargin", positivePart(near.sub(farther).add(margin)), options);
}
