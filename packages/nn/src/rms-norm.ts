import { fail, formatShape, type Layer, type Shape, sameShape, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { checkEps } from "./normalization.js";
import { standardize } from "./standardize.js";
import { type Empty, empty } from "./stateless.js";

export interface RmsNormParams {
  /** The scale, of the normalised shape; ones at first. */
  readonly weight: Tensor;
}

export interface RmsNormOptions {
  /** Added to the mean square. Default: the distance from 1 to the next number of the dtype, as in PyTorch. */
  readonly eps?: number;
  /** Whether there is a weight to learn. Default true. */
  readonly affine?: boolean;
}

/**
 * Root-mean-square normalisation, `x / sqrt(mean(x^2) + eps) weight`, the mean over the last axes: inputs are `[...,
 * ...normalizedShape]`.
 *
 * @param normalizedShape The sizes of the last axes; a number for the last one alone.
 * @throws `invalid-argument` for sizes below 1 or eps below 0; `shape-mismatch` when applied to inputs that end otherwise.
 *
 * Source: PyTorch's `nn.RMSNorm`; Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
 *
 * @example
 * ```ts
 * import { rmsNorm } from "@gradus/nn";
 * import { key, tensor } from "@gradus/tensor";
 * const layer = rmsNorm(2);
 * const { params, state } = layer.init(key(0));
 * const [y] = layer.apply(params, state, tensor([1, 7]), { train: false });
 * console.log(y); // → Tensor f32[2] [0.2, 1.4]
 * ```
 */
export function rmsNorm(
  normalizedShape: number | Shape,
  options?: RmsNormOptions & { readonly affine?: true },
): Layer<RmsNormParams, Empty>;
export function rmsNorm(
  normalizedShape: number | Shape,
  options: RmsNormOptions,
): Layer<RmsNormParams | Empty, Empty>;
export function rmsNorm(
  normalizedShape: number | Shape,
  options: RmsNormOptions = {},
): Layer<RmsNormParams, Empty> | Layer<RmsNormParams | Empty, Empty> {
  const { eps, affine = true } = options;
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  if (shape.length === 0) fail("invalid-argument", "rmsNorm: normalizedShape needs at least one size");
  for (const size of shape) checkSize("rmsNorm", "normalizedShape", size);
  if (eps !== undefined) checkEps("rmsNorm", eps);
  const name = `rmsNorm(${typeof normalizedShape === "number" ? normalizedShape : formatShape(shape)})`;
  const axes = shape.map((_, i) => i - shape.length);
  const layer: Layer<RmsNormParams | Empty, Empty> = {
    name,
    init: (key) => ({ params: affine ? { weight: key.ones(shape) } : empty, state: empty }),
    apply(params, state, x) {
      if (!sameShape(x.shape.slice(-shape.length), shape)) {
        fail(
          "shape-mismatch",
          `${name}: expected inputs [..., ${shape.join(", ")}], got ${formatShape(x.shape)}`,
        );
      }
      const y = standardize(x, axes, eps ?? (x.dtype === "f64" ? 2 ** -52 : 2 ** -23), false);
      if (!("weight" in params)) return [y, state];
      const { weight } = params as RmsNormParams;
      if (!sameShape(weight.shape, shape)) {
        fail(
          "shape-mismatch",
          `${name}: weight must have shape ${formatShape(shape)}, got ${formatShape(weight.shape)}`,
        );
      }
      return [y.mul(weight), state];
    },
  };
  return layer;
}
