import type { Key, Shape, Tensor } from "@gradus/core";
import { type HeOptions, heStd } from "./he-std.js";

/**
 * A weight `[outputs, inputs, ...]` uniform in `+-sqrt(6 / (1 + slope^2) / fan)`: for layers followed by a
 * rectifier.
 *
 * @throws `shape-mismatch` for fewer than two axes, `invalid-argument` for an unknown mode or a slope that is
 * not finite.
 *
 * Source: PyTorch's `nn.init.kaiming_uniform_`; He et al., "Delving Deep into Rectifiers", 2015.
 *
 * @example
 * ```ts
 * import { heUniform } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const weight = heUniform(key(0), [10, 20]);
 * weight.abs().max().lt(Math.sqrt(6 / 20)).item(); // → 1
 * ```
 */
export function heUniform(key: Key, shape: Shape, options: HeOptions = {}): Tensor {
  const bound = Math.sqrt(3) * heStd("heUniform", shape, options);
  return key.uniform(shape, { low: -bound, high: bound });
}
