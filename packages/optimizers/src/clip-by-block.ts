import { mapTree, type Tensor } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { checkLike } from "./check-trees.js";

export interface ClipByBlockOptions {
  /** The greatest norm of a gradient as a share of its block's. Default 0.01. */
  readonly clip?: number;
  /** The least norm of a block that counts, so that blocks of zeros can grow. Default 1e-3. */
  readonly eps?: number;
}

/**
 * Adaptive gradient clipping (AGC): scales each block's gradient down so that its norm is at most `clip max(norm(w), eps)`,
 * where w is the block's part of the parameter. A block is what leads to one output: the elements with one index on the first
 * axis; a tensor of less than two axes is one block.
 *
 * @param params what the gradients are of; a tree of the same structure
 * @throws `invalid-argument` for a negative `clip` or `eps`, `tree-mismatch` or `shape-mismatch` if the trees differ.
 *
 * Source: Brock et al., "High-Performance Large-Scale Image Recognition Without Normalization", 2021, whose last layer is
 * not clipped: leave it out with `partition`.
 *
 * @example
 * ```ts
 * import { clipByBlock } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const params = { w: tensor([[3, 4], [0, 0]]) };
 * const grads = { w: tensor([[6, 8], [0, 1]]) };
 * console.log(clipByBlock(grads, params, { clip: 1 }).w.flatten()); // → Tensor f32[4] [3, 4, 0, 0.001]
 * ```
 */
export function clipByBlock<P>(grads: P, params: P, options: ClipByBlockOptions = {}): P {
  const { clip = 0.01, eps = 1e-3 } = options;
  checkNonNegative("clipByBlock", { clip, eps });
  checkLike("clipByBlock: the gradients", params, grads);
  return mapTree(
    grads,
    (g, p) => {
      const greatest = blockNorms(p).maximum(eps).mul(clip);
      const norms = blockNorms(g);
      return norms.gt(greatest).where(g.mul(greatest.div(norms.maximum(1e-6))), g);
    },
    params,
  );
}

function blockNorms(x: Tensor): Tensor {
  const axes = x.shape.map((_, i) => i).slice(x.ndim < 2 ? 0 : 1);
  return x.ndim === 0 ? x.abs() : x.norm(axes, { keepdims: true });
}
