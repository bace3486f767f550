import { fail, formatShape, type Tensor } from "@gradus/core";
import { asGradusTensor } from "../gradus-tensor.js";

/**
 * `x` where positive, `weight x` elsewhere, with one weight or one for each channel (axis 1).
 *
 * @throws `shape-mismatch` for a weight that is neither.
 *
 * Source: PyTorch's `nn.functional.prelu`.
 *
 * @example
 * ```ts
 * import { prelu, tensor } from "@gradus/tensor";
 * console.log(prelu(tensor([[-1, -1, 4]]), tensor([0.1, 0.2, 0.3])).flatten()); // → Tensor f32[3] [-0.1, -0.2, 4]
 * ```
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  asGradusTensor("prelu", weight);
  if (weight.size === 1) return x.leakyRelu(weight.reshape([]));
  const channels = x.shape[1];
  if (weight.ndim !== 1 || weight.size !== channels) {
    fail(
      "shape-mismatch",
      `prelu: the weight must be one number or one for each of the ${channels ?? 0} channels of ${formatShape(x.shape)}, got ${formatShape(weight.shape)}`,
    );
  }
  return x.leakyRelu(weight.reshape(x.shape.map((_, axis) => (axis === 1 ? weight.size : 1))));
}
