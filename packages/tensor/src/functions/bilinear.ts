import { fail, formatShape, type Tensor } from "@gradus/core";
import { einsum } from "../ops/einsum.js";

/**
 * `y[..., o] = sum of a[..., i] weight[o, i, j] b[..., j] + bias[o]`.
 *
 * @throws `shape-mismatch` if the sizes do not fit.
 *
 * Source: PyTorch's `nn.functional.bilinear`.
 *
 * @example
 * ```ts
 * import { bilinear, ones, tensor } from "@gradus/tensor";
 * console.log(bilinear(tensor([[1, 2]]), tensor([[3, 4]]), ones([1, 2, 2])).flatten()); // → Tensor f32[1] [21]
 * ```
 */
export function bilinear(a: Tensor, b: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (weight.ndim !== 3 || weight.shape[1] !== a.shape.at(-1) || weight.shape[2] !== b.shape.at(-1)) {
    fail(
      "shape-mismatch",
      `bilinear: the weight must be [outputs, ${a.shape.at(-1)}, ${b.shape.at(-1)}] for ${formatShape(a.shape)} and ${formatShape(b.shape)}, got ${formatShape(weight.shape)}`,
    );
  }
  const y = einsum("...i,oij,...j->...o", a, weight, b);
  return bias === undefined ? y : y.add(bias);
}
