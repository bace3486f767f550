import type { Axes, Tensor } from "@gradus/core";

export interface NormalizeOptions {
  /** Which norm. Default 2. */
  readonly p?: number;
  /** Over which axes. Default 1. */
  readonly axis?: Axes;
  /** The norm counts as at least this. Default 1e-12. */
  readonly eps?: number;
}

/**
 * `x / max(norm(x), eps)` along axes.
 *
 * Source: PyTorch's `nn.functional.normalize`.
 *
 * @example
 * ```ts
 * import { normalize, tensor } from "@gradus/tensor";
 * console.log(normalize(tensor([3, 4]), { axis: 0 })); // → Tensor f32[2] [0.6, 0.8]
 * ```
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  const { p = 2, axis = 1, eps = 1e-12 } = options;
  return x.div(x.norm(axis, { p, keepdims: true }).clamp(eps, Infinity));
}
