import { fail, type Key, type Shape, type Tensor } from "@gradus/core";
import { fans } from "./fans.js";

/**
 * A weight `[outputs, inputs, ...]` normal with standard deviation `gain sqrt(2 / (fanIn + fanOut))`: for
 * layers followed by something like tanh or a sigmoid.
 *
 * @param options `gain` multiplies the standard deviation; default 1.
 * @throws `shape-mismatch` for fewer than two axes, `invalid-argument` for a gain that is not finite.
 *
 * Source: PyTorch's `nn.init.xavier_normal_`; Glorot and Bengio, "Understanding the difficulty of training
 * deep feedforward neural networks", 2010.
 *
 * @example
 * ```ts
 * import { glorotNormal } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const weight = glorotNormal(key(0), [100, 100]);
 * weight.std().item(); // → 0.10
 * ```
 */
export function glorotNormal(key: Key, shape: Shape, options: { readonly gain?: number } = {}): Tensor {
  const { gain = 1 } = options;
  if (!Number.isFinite(gain)) {
    fail("invalid-argument", `glorotNormal: gain must be a finite number, got ${gain}`);
  }
  const { fanIn, fanOut } = fans("glorotNormal", shape);
  return key.normal(shape, { std: gain * Math.sqrt(2 / (fanIn + fanOut)) });
}
