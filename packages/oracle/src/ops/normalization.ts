import { isFloat, type Layer, type Tensor } from "@gradus/core";
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  type NormParams,
  rmsNorm,
} from "@gradus/nn";
import { cosineSimilarity, normalize, pairwiseDistance } from "@gradus/tensor";
import type { OpTable } from "./op.js";

type Named = Readonly<Record<string, Tensor>>;

export const normalization: OpTable = {
  batch_norm: ([x], options, named) => {
    const input = x as Tensor;
    const { running_mean, running_var } = named;
    const training = options.boolean("training", false);
    const channels = input.shape[1] as number;
    const layer = batchNorm(channels, {
      eps: options.number("eps", 1e-5),
      momentum: options.number("momentum", 0.1),
    });
    const params = scaleOf(named, input, [channels]);
    if (running_mean === undefined || running_var === undefined)
      return layer.apply(params, {} as never, input, { train: true })[0];
    const state = { runningMean: running_mean, runningVar: running_var };
    const [y, next] = layer.apply(params, state, input, { train: training });
    return [y, next.runningMean, next.runningVar];
  },
  layer_norm: ([x], options, named) => {
    const input = x as Tensor;
    const shape = options.numbers("normalized_shape");
    return run(layerNorm(shape, { eps: options.number("eps", 1e-5) }), scaleOf(named, input, shape), input);
  },
  rms_norm: ([x], options, named) => {
    const input = x as Tensor;
    const shape = options.numbers("normalized_shape");
    const layer = rmsNorm(shape, options.has("eps") ? { eps: options.number("eps") } : {});
    return run(layer, { weight: scaleOf(named, input, shape).weight }, input);
  },
  group_norm: ([x], options, named) => {
    const input = x as Tensor;
    const channels = input.shape[1] as number;
    const layer = groupNorm(options.number("num_groups"), channels, { eps: options.number("eps", 1e-5) });
    return run(layer, scaleOf(named, input, [channels]), input);
  },
  instance_norm: ([x], options, named) => {
    const input = x as Tensor;
    const channels = input.shape[1] as number;
    const { running_mean, running_var } = named;
    const layer = instanceNorm(channels, {
      eps: options.number("eps", 1e-5),
      momentum: options.number("momentum", 0.1),
      affine: true,
    });
    const params = scaleOf(named, input, [channels]);
    const train = options.boolean("use_input_stats", true);
    if (running_mean === undefined || running_var === undefined)
      return layer.apply(params, {}, input, { train })[0];
    const state = { runningMean: running_mean, runningVar: running_var };
    return layer.apply(params, state, input, { train })[0];
  },
  local_response_norm: ([x], options) =>
    run(
      localResponseNorm(options.number("size"), {
        alpha: options.number("alpha", 1e-4),
        beta: options.number("beta", 0.75),
        k: options.number("k", 1),
      }),
      {},
      x as Tensor,
    ),
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

/** A layer as a function of its parameters and input. */
function run<P>(layer: Layer<P, Readonly<Record<string, never>>>, params: P, x: Tensor): Tensor {
  return layer.apply(params, {}, x, { train: true })[0];
}

/** Weight and bias; ones and zeros where the case has none. */
function scaleOf({ weight, bias }: Named, x: Tensor, shape: readonly number[]): NormParams {
  const make = (value: number): Tensor =>
    x.engine.full(shape, value, { dtype: isFloat(x.dtype) ? x.dtype : "f32", device: x.device });
  return { weight: weight ?? make(1), bias: bias ?? make(0) };
}
