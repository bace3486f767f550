import { fail, type Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * `x` where positive, `slope x` elsewhere, as a layer, elementwise.
 *
 * @param slope Default 0.01.
 * @throws `invalid-argument` for a slope that is not finite.
 *
 * Source: PyTorch's `nn.LeakyReLU`; Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic
 * Models", 2013.
 *
 * @example
 * ```ts
 * import { leakyRelu } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = leakyRelu(0.1).apply({}, {}, tensor([-1, 0, 2]), { train: false });
 * console.log(y); // → Tensor f32[3] [-0.1, 0, 2]
 * ```
 */
export function leakyRelu(slope = 0.01): Layer<Empty, Empty> {
  if (!Number.isFinite(slope)) {
    fail("invalid-argument", `leakyRelu: slope must be a finite number, got ${slope}`);
  }
  return stateless(`leakyRelu(${slope})`, (x) => x.leakyRelu(slope));
}
