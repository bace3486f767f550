import type { Key, Shape, Tensor } from "@gradus/core";
import { type HeOptions, heStd } from "./he-std.js";

/**
 * A weight `[outputs, inputs, ...]` normal with standard deviation `sqrt(2 / (1 + slope^2) / fan)`: for
 * layers followed by a rectifier.
 *
 * @throws `shape-mismatch` for fewer than two axes, `invalid-argument` for an unknown mode or a slope that is
 * not finite.
 *
 * Source: PyTorch's `nn.init.kaiming_normal_`; He et al., "Delving Deep into Rectifiers", 2015.
 *
 * @example
 * ```ts
 * import { heNormal } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const weight = heNormal(key(0), [50, 200]);
 * weight.std().item(); // → 0.10
 * ```
 */
export function heNormal(key: Key, shape: Shape, options: HeOptions = {}): Tensor {
  return key.normal(shape, { std: heStd("heNormal", shape, options) });
}
