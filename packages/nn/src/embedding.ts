import { fail, isFloat, type Layer, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { type Empty, empty } from "./stateless.js";

export interface EmbeddingParams {
  /** `[count, features]`: a row for each index; normal with mean 0 and standard deviation 1 at first. */
  readonly weight: Tensor;
}

/**
 * A table of vectors, `y[...] = weight[x[...]]`: whole-number indices of any shape `[...]` become `[..., features]`.
 * Rows that no index names get a gradient of zero.
 *
 * @throws `invalid-argument` for sizes below 1; when applied `dtype-mismatch` for indices that are not whole numbers, and
 * `index-out-of-range` for those that are not in 0 to count - 1.
 *
 * Source: PyTorch's `nn.Embedding`.
 *
 * @example
 * ```ts
 * import { embedding } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const weight = tensor([[1, 2], [3, 4], [5, 6]]);
 * const [y] = embedding(3, 2).apply({ weight }, {}, tensor([2, 0], { dtype: "i32" }), { train: false });
 * console.log(y.flatten()); // → Tensor f32[4] [5, 6, 1, 2]
 * ```
 */
export function embedding(count: number, features: number): Layer<EmbeddingParams, Empty> {
  checkSize("embedding", "count", count);
  checkSize("embedding", "features", features);
  const name = `embedding(${count}, ${features})`;
  return {
    name,
    init: (key) => ({ params: { weight: key.normal([count, features]) }, state: empty }),
    apply({ weight }, state, x) {
      if (isFloat(x.dtype)) {
        fail(
          "dtype-mismatch",
          `${name}: indices must be whole numbers, got ${x.dtype}. Convert: x.cast("i32")`,
        );
      }
      const rows = weight.indexSelect(0, x.cast("i32").reshape([x.size]));
      return [rows.reshape([...x.shape, features]), state];
    },
  };
}
