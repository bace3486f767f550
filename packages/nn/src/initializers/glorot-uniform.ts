import { fail, type Key, type Shape, type Tensor } from "@gradus/core";
import { fans } from "./fans.js";

/**
 * A weight `[outputs, inputs, ...]` uniform in `+-gain sqrt(6 / (fanIn + fanOut))`: for layers followed by
 * something like tanh or a sigmoid.
 *
 * @param options `gain` multiplies the range; default 1.
 * @throws `shape-mismatch` for fewer than two axes, `invalid-argument` for a gain that is not finite.
 *
 * Source: PyTorch's `nn.init.xavier_uniform_`; Glorot and Bengio, "Understanding the difficulty of training
 * deep feedforward neural networks", 2010.
 *
 * @example
 * ```ts
 * import { glorotUniform } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const weight = glorotUniform(key(0), [10, 20]);
 * weight.abs().max().lt(Math.sqrt(6 / 30)).item(); // → 1
 * ```
 */
export function glorotUniform(key: Key, shape: Shape, options: { readonly gain?: number } = {}): Tensor {
  const { gain = 1 } = options;
  if (!Number.isFinite(gain)) {
    fail("invalid-argument", `glorotUniform: gain must be a finite number, got ${gain}`);
  }
  const { fanIn, fanOut } = fans("glorotUniform", shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return key.uniform(shape, { low: -bound, high: bound });
}
