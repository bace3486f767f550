import { fail, formatShape, isFloat, type Tensor } from "@gradus/core";

export interface PairwiseDistanceOptions {
  /** Which norm. Default 2. */
  readonly p?: number;
  /** Added to each difference, so that the gradient exists at 0. Default 1e-6. */
  readonly eps?: number;
  readonly keepdims?: boolean;
}

/**
 * The p-norm of `a - b + eps` along the last axis, broadcast.
 *
 * Source: PyTorch's `nn.functional.pairwise_distance`.
 *
 * @example
 * ```ts
 * import { pairwiseDistance, tensor } from "@gradus/tensor";
 * console.log(pairwiseDistance(tensor([[0, 0]]), tensor([[3, 4]]), { eps: 0 })); // → Tensor f32[1] [5]
 * ```
 */
export function pairwiseDistance(a: Tensor, b: Tensor, options: PairwiseDistanceOptions = {}): Tensor {
  const { p = 2, eps = 1e-6, keepdims = false } = options;
  if (a.ndim === 0 && b.ndim === 0)
    fail("shape-mismatch", `pairwiseDistance: expected vectors, got ${formatShape(a.shape)}`);
  const difference = a.sub(b);
  const floats = isFloat(difference.dtype) ? difference : difference.cast("f32");
  return floats.add(eps).norm(-1, { p, keepdims });
}
