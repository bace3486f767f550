import { fail, formatShape, type Layer, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { checkEps, type NormOptions, type NormParams, scaleAndShift } from "./normalization.js";
import { standardize } from "./standardize.js";
import { type Empty, empty } from "./stateless.js";

export interface InstanceNormState {
  /** `[C]`; zeros at first. */
  readonly runningMean: Tensor;
  /** `[C]`, unbiased; ones at first. */
  readonly runningVar: Tensor;
}

export interface InstanceNormOptions extends NormOptions {
  /** Whether there is a weight and a bias to learn. Default false. */
  readonly affine?: boolean;
  /** Whether running statistics are kept for evaluation; if not, that uses its own input's. Default false. */
  readonly trackRunningStats?: boolean;
  /** The new batch's share in the running statistics. Default 0.1. */
  readonly momentum?: number;
}

/**
 * Instance normalisation, `(x - mean) / sqrt(var + eps) weight + bias` for each channel of each sample. Inputs are `[N, C,
 * ...]`; statistics are over all axes behind the channels'.
 *
 * @throws `invalid-argument` for sizes below 1 or eps below 0; `shape-mismatch` when applied to other inputs.
 *
 * Source: PyTorch's `nn.InstanceNorm1d`, `2d` and `3d`; Ulyanov et al., "Instance Normalization: The Missing Ingredient for
 * Fast Stylization", 2016.
 *
 * @example
 * ```ts
 * import { instanceNorm } from "@gradus/nn";
 * import { tensor } from "@gradus/tensor";
 * const [y] = instanceNorm(1).apply({}, {}, tensor([[[10, 30]]]), { train: true });
 * console.log(y.flatten()); // → Tensor f32[2] [-1, 1]
 * ```
 */
export function instanceNorm(
  channels: number,
  options: InstanceNormOptions = {},
): Layer<NormParams | Empty, InstanceNormState | Empty> {
  const { eps = 1e-5, affine = false, trackRunningStats = false, momentum = 0.1 } = options;
  checkSize("instanceNorm", "channels", channels);
  checkEps("instanceNorm", eps);
  if (!(momentum >= 0 && momentum <= 1))
    fail("invalid-argument", `instanceNorm: momentum must be in [0, 1], got ${momentum}`);
  const name = `instanceNorm(${channels})`;
  return {
    name,
    init: (key) => ({
      params: affine ? { weight: key.ones([channels]), bias: key.zeros([channels]) } : empty,
      state: trackRunningStats
        ? { runningMean: key.zeros([channels]), runningVar: key.ones([channels]) }
        : empty,
    }),
    apply(params, state, x, { train }) {
      const [samples, given, ...sizes] = x.shape;
      if (samples === undefined || given !== channels || sizes.length === 0) {
        fail("shape-mismatch", `${name}: expected inputs [N, ${channels}, ...], got ${formatShape(x.shape)}`);
      }
      const as = [channels, ...sizes.map(() => 1)];
      const shaped = (y: Tensor): Tensor => scaleAndShift(name, y, params, [channels], as);
      const tracked = "runningMean" in state ? (state as InstanceNormState) : undefined;
      if (!train && tracked !== undefined) {
        const scale = tracked.runningVar.reshape(as).add(eps).rsqrt();
        return [shaped(x.sub(tracked.runningMean.reshape(as)).mul(scale)), state];
      }
      if (sizes.reduce((a, b) => a * b, 1) < 2) {
        fail(
          "invalid-argument",
          `${name}: needs at least 2 values per channel and sample, got inputs ${formatShape(x.shape)}`,
        );
      }
      const axes = sizes.map((_, i) => 2 + i);
      const y = shaped(standardize(x, axes, eps));
      if (!train || tracked === undefined) return [y, state];
      const seen = x.detach();
      const moved = (before: Tensor, now: Tensor): Tensor =>
        before.mul(1 - momentum).add(now.mean(0).mul(momentum));
      const next = {
        runningMean: moved(tracked.runningMean, seen.mean(axes)),
        runningVar: moved(tracked.runningVar, seen.var(axes)),
      };
      return [y, next];
    },
  };
}
