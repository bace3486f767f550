import type { Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * The Gaussian error linear unit `x Phi(x)` as a layer, elementwise; exact, not its tanh approximation.
 *
 * Source: PyTorch's `nn.GELU`; Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
 *
 * @example
 * ```ts
 * import { gelu } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = gelu().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [-0.1587, 0, 1.9545]
 * ```
 */
export function gelu(): Layer<Empty, Empty> {
  return stateless("gelu()", (x) => x.gelu());
}
