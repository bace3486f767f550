import { fail, formatShape, type Layer } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { checkEps, type NormOptions, type NormParams, scaleAndShift } from "./normalization.js";
import { standardize } from "./standardize.js";
import { type Empty, empty } from "./stateless.js";

/**
 * Group normalisation, `(x - mean) / sqrt(var + eps) weight + bias`: inputs are `[N, channels, ...]`, mean and (biased)
 * variance are of each sample's groups of `channels / groups` channels, weight (ones at first) and bias (zeros) are
 * `[channels]`.
 *
 * Defaults: eps 1e-5, affine true.
 *
 * @throws `invalid-argument` for sizes below 1, groups that do not divide the channels, or eps below 0; `shape-mismatch`
 * when applied to inputs of other channels.
 *
 * Source: PyTorch's `nn.GroupNorm`; Wu and He, "Group Normalization", 2018.
 *
 * @example
 * ```ts
 * import { groupNorm } from "@gradus/nn";
 * import { key, tensor } from "@gradus/tensor";
 * const layer = groupNorm(1, 2);
 * const { params, state } = layer.init(key(0));
 * const [y] = layer.apply(params, state, tensor([[10, 30]]), { train: false });
 * console.log(y.flatten()); // → Tensor f32[2] [-1, 1]
 * ```
 */
export function groupNorm(
  groups: number,
  channels: number,
  options?: NormOptions & { readonly affine?: true },
): Layer<NormParams, Empty>;
export function groupNorm(
  groups: number,
  channels: number,
  options: NormOptions,
): Layer<NormParams | Empty, Empty>;
export function groupNorm(
  groups: number,
  channels: number,
  options: NormOptions = {},
): Layer<NormParams, Empty> | Layer<NormParams | Empty, Empty> {
  const { eps = 1e-5, affine = true } = options;
  checkSize("groupNorm", "groups", groups);
  checkSize("groupNorm", "channels", channels);
  checkEps("groupNorm", eps);
  if (channels % groups !== 0) {
    fail("invalid-argument", `groupNorm: groups must divide the ${channels} channels, got ${groups}`);
  }
  const name = `groupNorm(${groups}, ${channels})`;
  const layer: Layer<NormParams | Empty, Empty> = {
    name,
    init: (key) => ({
      params: affine ? { weight: key.ones([channels]), bias: key.zeros([channels]) } : empty,
      state: empty,
    }),
    apply(params, state, x) {
      const [samples, given, ...sizes] = x.shape;
      if (samples === undefined || given !== channels) {
        fail("shape-mismatch", `${name}: expected inputs [N, ${channels}, ...], got ${formatShape(x.shape)}`);
      }
      const each = sizes.reduce((a, b) => a * b, channels / groups);
      const y = standardize(x.reshape([samples, groups, each]), [-1], eps).reshape(x.shape);
      return [scaleAndShift(name, y, params, [channels], [channels, ...sizes.map(() => 1)]), state];
    },
  };
  return layer;
}
