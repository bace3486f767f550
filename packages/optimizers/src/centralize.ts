import { mapTree } from "@gradus/core";

/**
 * Gradient centralisation: gradients of two or more axes less their mean over all axes but the first, so that those of each
 * output add up to 0. Others stay as they are.
 *
 * Source: Yong et al., "Gradient Centralization: A New Optimization Technique for Deep Neural Networks", 2020.
 *
 * @example
 * ```ts
 * import { centralize } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const { w, b } = centralize({ w: tensor([[1, 3], [0, 4]]), b: tensor([5, 6]) });
 * console.log(w.flatten(), b); // → Tensor f32[4] [-1, 1, -2, 2] Tensor f32[2] [5, 6]
 * ```
 */
export function centralize<P>(grads: P): P {
  return mapTree(grads, (g) => {
    if (g.ndim < 2) return g;
    const axes = g.shape.slice(1).map((_, i) => i + 1);
    return g.sub(g.mean(axes, { keepdims: true }));
  });
}
