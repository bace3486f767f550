import { fail, formatShape, type Layer } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { type Empty, stateless } from "./stateless.js";

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/**
 * `x / (k + alpha / size * sum of x^2 over size neighbouring channels)^beta`. Inputs are `[N, C, ...]`; channels beyond the ends
 * count as zeros.
 *
 * @throws `invalid-argument` for a size below 1; `shape-mismatch` when applied to inputs without axes behind the channels'.
 *
 * Source: PyTorch's `nn.LocalResponseNorm`; Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks",
 * 2012.
 *
 * @example
 * ```ts
 * import { localResponseNorm } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const layer = localResponseNorm(1, { alpha: 3, beta: 0.5 });
 * const [y] = layer.apply({}, {}, tensor([[[1]]]), { train: false });
 * console.log(y.flatten()); // → Tensor f32[1] [0.5]
 * ```
 */
export function localResponseNorm(size: number, options: LocalResponseNormOptions = {}): Layer<Empty, Empty> {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  checkSize("localResponseNorm", "size", size);
  const name = `localResponseNorm(${size})`;
  return stateless(name, (x) => {
    const [samples, channels, ...sizes] = x.shape;
    if (samples === undefined || channels === undefined || sizes.length === 0)
      fail("shape-mismatch", `${name}: expected inputs [N, C, ...], got ${formatShape(x.shape)}`);
    const inner = sizes.reduce((a, b) => a * b, 1);
    const squares = x.square().reshape([samples, channels, inner]);
    const before = Math.floor(size / 2);
    const padded = squares.pad([
      [0, 0],
      [before, size - 1 - before],
      [0, 0],
    ]);
    const means = padded.avgPool([size, 1], { stride: 1 }).reshape(x.shape);
    return x.div(means.mul(alpha).add(k).pow(beta));
  });
}
