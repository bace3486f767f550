import { fail, mapTree, type Tensor, tensorsOf } from "@gradus/core";

export interface ClippedGradients<P> {
  readonly grads: P;
  /** The norm before clipping, 0-dimensional. */
  readonly norm: Tensor;
}

/**
 * Scales gradients down so that the norm of all of them together is at most `maxNorm`: each is multiplied by
 * `min(1, maxNorm / (norm + 1e-6))`. A norm of NaN or infinity makes the gradients NaN: look at the returned
 * `norm`.
 *
 * @param options `p` is which norm, 2 by default; `Infinity` is the greatest absolute value.
 * @throws `invalid-argument` for a negative `maxNorm` and an empty tree.
 *
 * Source: PyTorch's `nn.utils.clip_grad_norm_`; Pascanu et al., "On the difficulty of training recurrent
 * neural networks", 2013.
 *
 * @example
 * ```ts
 * import { clipByGlobalNorm } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const { grads, norm } = clipByGlobalNorm({ w: tensor([3, 0]), b: tensor(4) }, 1);
 * norm.item(); // → 5
 * grads.b.item(); // → 0.8000
 * ```
 */
export function clipByGlobalNorm<P>(
  grads: P,
  maxNorm: number,
  options: { readonly p?: number } = {},
): ClippedGradients<P> {
  const { p = 2 } = options;
  if (!(maxNorm >= 0)) {
    fail("invalid-argument", `clipByGlobalNorm: maxNorm must be a number of at least 0, got ${maxNorm}`);
  }
  if (Number.isNaN(p)) fail("invalid-argument", "clipByGlobalNorm: p must be a number, got NaN");
  const tensors = tensorsOf(grads);
  const [first] = tensors;
  if (first === undefined) {
    fail("invalid-argument", "clipByGlobalNorm: the gradient tree is empty: it has no tensors");
  }
  const norms = tensors.filter((g) => g.size > 0).map((g) => g.norm(undefined, { p }).reshape([1]));
  const norm = norms.length === 0 ? first.sum() : first.engine.concat(norms).norm(undefined, { p });
  const factor = norm.add(1e-6).reciprocal().mul(maxNorm).minimum(1);
  return { grads: mapTree(grads, (g) => g.mul(factor)), norm };
}
