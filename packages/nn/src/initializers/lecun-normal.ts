import type { Key, Shape, Tensor } from "@gradus/core";
import { fans } from "./fans.js";

/**
 * A weight `[outputs, inputs, ...]` normal with variance `1 / fanIn`: for layers followed by nothing, or by a
 * self-normalising activation. Keras's and Flax's functions of this name cut the tails off; this does not.
 *
 * @throws `shape-mismatch` for fewer than two axes.
 *
 * Source: LeCun et al., "Efficient BackProp", 1998.
 *
 * @example
 * ```ts
 * import { lecunNormal } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const weight = lecunNormal(key(0), [100, 100]);
 * weight.std().item(); // → 0.10
 * ```
 */
export function lecunNormal(key: Key, shape: Shape): Tensor {
  return key.normal(shape, { std: Math.sqrt(1 / fans("lecunNormal", shape).fanIn) });
}
