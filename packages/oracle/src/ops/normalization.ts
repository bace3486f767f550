import type { Tensor } from "@gradus/core";
import { batchNorm } from "@gradus/nn";
import { cosineSimilarity, normalize, pairwiseDistance } from "@gradus/tensor";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import type { OpTable } from "./op.js";

export const normalization: OpTable = {
  batch_norm: ([x], options, named) => {
    const input = x as Tensor;
    const { running_mean, running_var, weight, bias } = named;
    const training = options.boolean("training", false);
    if (running_mean === undefined || running_var === undefined)
      return unsupported("batch_norm without running statistics");
    const layer = batchNorm(running_mean.size, {
      eps: options.number("eps", 1e-5),
      momentum: options.number("momentum", 0.1),
    });
    const params = { weight: weight ?? running_mean.onesLike(), bias: bias ?? running_mean.zerosLike() };
    const state = { runningMean: running_mean, runningVar: running_var };
    const [y, next] = layer.apply(params, state, input, { train: training });
    return [y, next.runningMean, next.runningVar];
  },
  layer_norm: ([x], options, { weight, bias }) => {
    const input = x as Tensor;
    const sizes = options.numbers("normalized_shape");
    const axes = sizes.map((_, k) => k - sizes.length);
    return affine(standardized(input, axes, options), weight, bias);
  },
  group_norm: ([x], options, { weight, bias }) => {
    const input = x as Tensor;
    const [samples, channels] = input.shape as [number, number];
    const groups = input.reshape([samples, options.number("num_groups"), -1]);
    const y = standardized(groups, [2], options).reshape(input.shape);
    return affine(y, perChannel(weight, channels, input), perChannel(bias, channels, input));
  },
  instance_norm: ([x], options, { running_mean, running_var, weight, bias }) => {
    if (
      running_mean !== undefined ||
      running_var !== undefined ||
      !options.boolean("use_input_stats", true)
    ) {
      return unsupported("instance_norm with running statistics");
    }
    const input = x as Tensor;
    const channels = input.shape[1] as number;
    const y = standardized(input, input.shape.map((_, axis) => axis).slice(2), options);
    return affine(y, perChannel(weight, channels, input), perChannel(bias, channels, input));
  },
  normalize: ([x], options) =>
    normalize(x as Tensor, {
      p: options.number("p", 2),
      axis: options.has("dim") ? options.numbers("dim") : 1,
      eps: options.number("eps", 1e-12),
    }),
  cosine_similarity: ([a, b], options) =>
    cosineSimilarity(a as Tensor, b as Tensor, {
      axis: options.number("dim", 1),
      eps: options.number("eps", 1e-8),
    }),
  pairwise_distance: ([a, b], options) =>
    pairwiseDistance(a as Tensor, b as Tensor, {
      p: options.number("p", 2),
      eps: options.number("eps", 1e-6),
      keepdims: options.boolean("keepdim", false),
    }),
};

/** `(x - mean) / sqrt(var + eps)` over axes. */
function standardized(x: Tensor, axes: readonly number[], options: Options): Tensor {
  const centered = x.sub(x.mean(axes, { keepdims: true }));
  return centered.mul(
    x.var(axes, { keepdims: true, correction: 0 }).add(options.number("eps", 1e-5)).rsqrt(),
  );
}

function affine(x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined): Tensor {
  const scaled = weight === undefined ? x : x.mul(weight);
  return bias === undefined ? scaled : scaled.add(bias);
}

function perChannel(value: Tensor | undefined, channels: number, x: Tensor): Tensor | undefined {
  return value?.reshape(x.shape.map((_, axis) => (axis === 1 ? channels : 1)));
}
