import { fail, formatShape, type Layer, type Shape, sameShape } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { checkEps, type NormOptions, type NormParams, scaleAndShift } from "./normalization.js";
import { standardize } from "./standardize.js";
import { type Empty, empty } from "./stateless.js";

/**
 * Layer normalisation, `(x - mean) / sqrt(var + eps) weight + bias`, mean and (biased) variance over the last axes:
 * inputs are `[..., ...normalizedShape]`, weight (ones at first) and bias (zeros) have the normalised shape.
 *
 * Defaults: eps 1e-5, affine true.
 *
 * @param normalizedShape The sizes of the last axes; a number for the last one alone.
 * @throws `invalid-argument` for sizes below 1 or eps below 0; `shape-mismatch` when applied to inputs that end otherwise.
 *
 * Source: PyTorch's `nn.LayerNorm` (`affine` is its `elementwise_affine`); Ba et al., "Layer Normalization", 2016.
 *
 * @example
 * ```ts
 * import { layerNorm } from "@gradus/nn";
 * import { key, tensor } from "@gradus/tensor";
 * const layer = layerNorm(2);
 * const { params, state } = layer.init(key(0));
 * const [y] = layer.apply(params, state, tensor([10, 30]), { train: false });
 * console.log(y); // → Tensor f32[2] [-1, 1]
 * ```
 */
export function layerNorm(
  normalizedShape: number | Shape,
  options?: NormOptions & { readonly affine?: true },
): Layer<NormParams, Empty>;
export function layerNorm(
  normalizedShape: number | Shape,
  options: NormOptions,
): Layer<NormParams | Empty, Empty>;
export function layerNorm(
  normalizedShape: number | Shape,
  options: NormOptions = {},
): Layer<NormParams, Empty> | Layer<NormParams | Empty, Empty> {
  const { eps = 1e-5, affine = true } = options;
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  if (shape.length === 0) fail("invalid-argument", "layerNorm: normalizedShape needs at least one size");
  for (const size of shape) checkSize("layerNorm", "normalizedShape", size);
  checkEps("layerNorm", eps);
  const name = `layerNorm(${typeof normalizedShape === "number" ? normalizedShape : formatShape(shape)})`;
  const axes = shape.map((_, i) => i - shape.length);
  const layer: Layer<NormParams | Empty, Empty> = {
    name,
    init: (key) => ({
      params: affine ? { weight: key.ones(shape), bias: key.zeros(shape) } : empty,
      state: empty,
    }),
    apply(params, state, x) {
      if (!sameShape(x.shape.slice(-shape.length), shape)) {
        fail(
          "shape-mismatch",
          `${name}: expected inputs [..., ${shape.join(", ")}], got ${formatShape(x.shape)}`,
        );
      }
      return [scaleAndShift(name, standardize(x, axes, eps), params, shape, shape), state];
    },
  };
  return layer;
}
