import { fail, formatShape, type Layer, type Scalar, sameShape, scalar, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { standardize } from "./standardize.js";
import { type Empty, empty } from "./stateless.js";

export interface BatchNormParams {
  /** The scale of each channel, `[C]`; ones at first. */
  readonly weight: Tensor;
  /** What is added to each channel, `[C]`; zeros at first. */
  readonly bias: Tensor;
}

export interface BatchNormState {
  /** `[C]`; zeros at first. */
  readonly runningMean: Tensor;
  /** `[C]`, unbiased; ones at first. */
  readonly runningVar: Tensor;
  /** Batches seen so far; kept only for `momentum: null`. */
  readonly count?: Scalar;
}

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** The new batch's share in the running statistics; `null` averages all batches alike. Default 0.1. */
  readonly momentum?: number | null;
  /** Whether there is a weight and a bias to learn. Default true. */
  readonly affine?: boolean;
  /** Whether running statistics are kept for evaluation; if not, that uses its own batch's. Default true. */
  readonly trackRunningStats?: boolean;
}

/**
 * Batch normalisation, `(x - mean) / sqrt(var + eps) weight + bias` for each channel. Inputs are `[N, C]` or
 * `[N, C, ...]`; statistics are over all axes but the channels'.
 *
 * In training mean and (biased) variance are the batch's, and the running ones move towards them, the
 * variance unbiased: `running = (1 - momentum) running + momentum batch`. In evaluation the running ones are
 * used.
 *
 * @throws `invalid-argument` for an `eps` or `momentum` out of range; when applied `shape-mismatch` for other
 * inputs, and `invalid-argument` in training with fewer than two values per channel, which have no variance.
 *
 * Source: PyTorch's `nn.BatchNorm1d`, `2d` and `3d`; Ioffe and Szegedy, "Batch Normalization: Accelerating
 * Deep Network Training by Reducing Internal Covariate Shift", 2015.
 *
 * @example
 * ```ts
 * import { batchNorm } from "@gradus/nn";
 * import { key, tensor } from "@gradus/tensor";
 * const layer = batchNorm(1);
 * const { params, state } = layer.init(key(0));
 * const [y, next] = layer.apply(params, state, tensor([[1], [3]]), { train: true });
 * console.log(y);
 * // → Tensor f32[2, 1]
 * // → [[-1],
 * // →  [1]]
 * console.log(next.runningMean, next.runningVar); // → Tensor f32[1] [0.2] Tensor f32[1] [1.1]
 * ```
 */
export function batchNorm(
  features: number,
  options?: BatchNormOptions & { readonly affine?: true; readonly trackRunningStats?: true },
): Layer<BatchNormParams, BatchNormState>;
export function batchNorm(
  features: number,
  options: BatchNormOptions,
): Layer<BatchNormParams | Empty, BatchNormState | Empty>;
export function batchNorm(
  features: number,
  options: BatchNormOptions = {},
): Layer<BatchNormParams, BatchNormState> | Layer<BatchNormParams | Empty, BatchNormState | Empty> {
  const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
  checkSize("batchNorm", "features", features);
  if (!(eps >= 0 && eps < Infinity)) {
    fail("invalid-argument", `batchNorm: eps must be at least 0, got ${eps}`);
  }
  if (momentum !== null && !(momentum >= 0 && momentum <= 1)) {
    fail(
      "invalid-argument",
      `batchNorm: momentum must be in [0, 1], or null for a plain average, got ${momentum}`,
    );
  }
  const name = `batchNorm(${features})`;

  /** The share of the batch in the running statistics after it. */
  function shareOf({ count }: BatchNormState): Scalar {
    if (momentum !== null) return scalar(momentum);
    return (count ?? fail("tree-mismatch", `${name}: momentum null needs the state's count`)).map(
      (n) => 1 / (n + 1),
    );
  }

  const layer: Layer<BatchNormParams | Empty, BatchNormState | Empty> = {
    name,

    init(key) {
      const params = affine ? { weight: key.ones([features]), bias: key.zeros([features]) } : empty;
      if (!trackRunningStats) return { params, state: empty };
      const running = { runningMean: key.zeros([features]), runningVar: key.ones([features]) };
      return { params, state: momentum === null ? { ...running, count: scalar(0) } : running };
    },

    apply(params, state, x, { train }) {
      if (x.ndim < 2 || x.shape[1] !== features) {
        fail(
          "shape-mismatch",
          `${name}: expected inputs [N, ${features}] or [N, ${features}, ...], got ${formatShape(x.shape)}`,
        );
      }
      const shape = x.shape.map((n, axis) => (axis === 1 ? n : 1));
      const perChannel = (what: string, value: Tensor): Tensor => {
        if (!sameShape(value.shape, [features])) {
          fail(
            "shape-mismatch",
            `${name}: ${what} must have shape [${features}], got ${formatShape(value.shape)}`,
          );
        }
        return value.reshape(shape);
      };
      const scaled = (normalized: Tensor): Tensor =>
        hasParams(params)
          ? normalized.mul(perChannel("weight", params.weight)).add(perChannel("bias", params.bias))
          : normalized;

      if (!train && isTracked(state)) {
        const scale = perChannel("runningVar", state.runningVar).add(eps).rsqrt();
        return [scaled(x.sub(perChannel("runningMean", state.runningMean)).mul(scale)), state];
      }

      const count = x.size / features;
      if (count < 2) {
        fail(
          "invalid-argument",
          `${name}: training needs at least 2 values per channel, got inputs ${formatShape(x.shape)}. ` +
            "Use a larger batch, or train: false",
        );
      }
      const axes = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const y = scaled(standardize(x, axes, eps));
      if (!train || !isTracked(state)) return [y, state];

      const share = shareOf(state);
      // Only to be remembered: without gradient.
      const seen = x.detach();
      const moved = (what: "runningMean" | "runningVar", batch: Tensor): Tensor => {
        const before = perChannel(what, state[what]).mul(share.map((s) => 1 - s));
        return before.add(batch.mul(share)).reshape([features]);
      };
      return [
        y,
        {
          ...state,
          runningMean: moved("runningMean", seen.mean(axes, { keepdims: true })),
          runningVar: moved("runningVar", seen.var(axes, { keepdims: true })),
          ...(state.count !== undefined && { count: state.count.map((n) => n + 1) }),
        },
      ];
    },
  };
  return layer;
}

function hasParams(params: BatchNormParams | Empty): params is BatchNormParams {
  return "weight" in params;
}

function isTracked(state: BatchNormState | Empty): state is BatchNormState {
  return "runningMean" in state;
}
