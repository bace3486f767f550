import { broadcastShapes, fail, formatShape, sameShape, type Tensor } from "@gradus/core";

export interface AddProductOptions {
  /** The multiple of x. Default 1; with 0 x does not matter, NaN included. */
  readonly beta?: number;
  /** The multiple of the product. Default 1. */
  readonly alpha?: number;
}

/**
 * `beta x + alpha (a b)`: a matrix product added to a tensor that broadcasts to it. Batches of matrices multiply as in
 * `matmul`.
 *
 * @throws `shape-mismatch` if the sizes do not fit.
 *
 * Source: PyTorch's `addmm` and `baddbmm`.
 *
 * @example
 * ```ts
 * import { addmm, eye, tensor } from "@gradus/tensor";
 * console.log(addmm(tensor([1, 2]), eye(2), eye(2), { alpha: 10 }).toArray()); // → [ [ 11, 2 ], [ 1, 12 ] ]
 * ```
 */
export function addmm(x: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  const { beta = 1, alpha = 1 } = options;
  const product = a.matmul(b);
  if (!sameShape(broadcastShapes("addmm", x.shape, product.shape), product.shape)) {
    fail(
      "shape-mismatch",
      `addmm: ${formatShape(x.shape)} does not broadcast to the product's ${formatShape(product.shape)}`,
    );
  }
  const scaled = alpha === 1 ? product : product.mul(alpha);
  if (beta === 0) return scaled;
  const added = beta === 1 ? x : x.mul(beta);
  return scaled.add(scaled.dtype === "f16" ? added.cast("f16") : added);
}
