import { fail, mapTree } from "@gradus/core";

/**
 * Gradients with every element clamped to `[-value, value]`.
 *
 * @throws `invalid-argument` for a negative value.
 *
 * Source: PyTorch's `nn.utils.clip_grad_value_`.
 *
 * @example
 * ```ts
 * import { clipByValue } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * console.log(clipByValue({ w: tensor([-3, 0.25, 3]) }, 0.5).w); // → Tensor f32[3] [-0.5, 0.25, 0.5]
 * ```
 */
export function clipByValue<P>(grads: P, value: number): P {
  if (!(value >= 0)) {
    fail("invalid-argument", `clipByValue: the value must be a number of at least 0, got ${value}`);
  }
  return mapTree(grads, (g) => g.clamp(-value, value));
}
