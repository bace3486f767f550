import type { Key, Shape, Tensor } from "@gradus/core";
import { fans } from "./fans.js";

/**
 * A weight `[outputs, inputs, ...]` uniform in `+-sqrt(3 / fanIn)`, which has variance `1 / fanIn`: for
 * layers followed by nothing, or by a self-normalising activation.
 *
 * @throws `shape-mismatch` for fewer than two axes.
 *
 * Source: LeCun et al., "Efficient BackProp", 1998; Keras's `LecunUniform`.
 *
 * @example
 * ```ts
 * import { lecunUniform } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const weight = lecunUniform(key(0), [10, 20]);
 * weight.abs().max().lt(Math.sqrt(3 / 20)).item(); // → 1
 * ```
 */
export function lecunUniform(key: Key, shape: Shape): Tensor {
  const bound = Math.sqrt(3 / fans("lecunUniform", shape).fanIn);
  return key.uniform(shape, { low: -bound, high: bound });
}
