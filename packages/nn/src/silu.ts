import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * The sigmoid linear unit `x sigmoid(x)` (swish) as a layer, elementwise.
 *
 * Source: PyTorch's `nn.SiLU`; Elfwing et al., "Sigmoid-Weighted Linear Units", 2017.
 *
 * @example
 * ```ts
 * import { silu } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = silu().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [-0.2689, 0, 1.7616]
 * ```
 */
export function silu(): Layer<Empty, Empty> {
  return stateless("silu()", (x) => x.silu());
}
