import { fail, formatShape, type Tensor } from "@gradus/core";

/**
 * `x weight^T + bias` with a weight `[outputs, inputs]`: what a linear layer computes.
 *
 * @throws `shape-mismatch` if the sizes do not fit.
 *
 * Source: PyTorch's `nn.functional.linear`.
 *
 * @example
 * ```ts
 * import { linear, tensor } from "@gradus/tensor";
 * console.log(linear(tensor([1, 2]), tensor([[3, 4]]), tensor([0.5]))); // → Tensor f32[1] [11.5]
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (weight.ndim !== 2 || weight.shape[1] !== x.shape.at(-1)) {
    fail(
      "shape-mismatch",
      `linear: the weight must be [outputs, ${x.shape.at(-1)}] for inputs of ${formatShape(x.shape)}, got ${formatShape(weight.shape)}`,
    );
  }
  const y = x.matmul(weight.transpose());
  // To a product of f16 the bias is added in f16.
  return bias === undefined ? y : y.add(y.dtype === "f16" ? bias.cast("f16") : bias);
}
