import { fail, type Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * Joins all axes but the first into one, as a layer: `[N, C, H, W]` becomes `[N, C H W]`.
 *
 * @throws `shape-mismatch` when applied to a tensor without axes.
 *
 * Source: PyTorch's `nn.Flatten`.
 *
 * @example
 * ```ts
 * import { flatten } from "@gradus/nn";
 * import { ones } from "@gradus/tensor";
 * const [y] = flatten().apply({}, {}, ones([2, 3, 4]), { train: false });
 * console.log(y.shape); // → [ 2, 12 ]
 * ```
 */
export function flatten(): Layer<Empty, Empty> {
  return stateless("flatten()", (x) => {
    const [samples] = x.shape;
    if (samples === undefined) {
      fail("shape-mismatch", "flatten(): expected an axis of samples, got a 0-dimensional tensor");
    }
    // Written out, because -1 would be ambiguous for an empty batch.
    return x.reshape([samples, x.shape.slice(1).reduce((a, b) => a * b, 1)]);
  });
}
