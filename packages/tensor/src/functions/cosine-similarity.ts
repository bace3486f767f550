import { broadcastShapes, type Tensor } from "@gradus/core";

export interface CosineSimilarityOptions {
  /** Default 1. */
  readonly axis?: number;
  /** Norms count as at least this. Default 1e-8. */
  readonly eps?: number;
}

/**
 * The cosine of the angle between vectors along an axis: `sum a b / (max(|a|, eps) max(|b|, eps))`, broadcast.
 *
 * Source: PyTorch's `nn.functional.cosine_similarity`.
 *
 * @example
 * ```ts
 * import { cosineSimilarity, tensor } from "@gradus/tensor";
 * console.log(cosineSimilarity(tensor([[1, 0]]), tensor([[3, 4]]))); // → Tensor f32[1] [0.6]
 * ```
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  const { axis = 1, eps = 1e-8 } = options;
  // Of the broadcast tensors, since the axis counts there.
  const shape = broadcastShapes("cosineSimilarity", a.shape, b.shape);
  const [x, y] = [a.expand(shape), b.expand(shape)];
  const unit = (t: Tensor): Tensor => t.div(t.norm(axis, { keepdims: true }).clamp(eps, Infinity));
  return unit(x).mul(unit(y)).sum(axis);
}
