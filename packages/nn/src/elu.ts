import { fail, type Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * `x` where positive, `alpha (exp(x) - 1)` elsewhere, as a layer, elementwise.
 *
 * @param alpha Default 1.
 * @throws `invalid-argument` for an alpha that is not finite.
 *
 * Source: PyTorch's `nn.ELU`; Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear
 * Units", 2016.
 *
 * @example
 * ```ts
 * import { elu } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = elu().apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [-0.6321, 0, 2]
 * ```
 */
export function elu(alpha = 1): Layer<Empty, Empty> {
  if (!Number.isFinite(alpha)) fail("invalid-argument", `elu: alpha must be a finite number, got ${alpha}`);
  return stateless(`elu(${alpha})`, (x) => x.elu(alpha));
}
