import { valueAndGrad } from "@gradus/autograd";
import { fail, formatShape, type Layer, type Tensor, tensorsOf } from "@gradus/core";
import {
  batchNorm,
  conv2d,
  flatten,
  gelu,
  layerNorm,
  leakyRelu,
  linear,
  maxPool2d,
  relu,
  sequential,
  silu,
  tanh,
} from "@gradus/nn";
import { applyUpdates, clipByGlobalNorm } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import type { Check } from "../compare.js";
import type { Lab } from "../lab.js";
import { lossCall } from "../losses.js";
import { ruleOf } from "../optimizers.js";
import { Options } from "../options.js";
import { scheduleOf } from "../schedulers.js";
import type { MaybeTensors, TrainingCase, TrainingLayer } from "../schema/cases.js";
import { type GoldenDType, type GoldenNumber, type GoldenTensor, isGoldenTensor } from "../schema/values.js";
import { unsupported } from "../unsupported.js";

type LayerParams = Readonly<Record<string, Tensor>>;

/** A layer of the network with the parameters and the state that it starts from. */
interface Part {
  readonly layer: Layer;
  readonly params: LayerParams;
  readonly state: LayerParams;
}

type Translation = (given: LayerParams, options: Options) => Part;

/** The layers by their kind in golden files. */
export const layers: Readonly<Record<string, Translation>> = {
  linear: ({ weight, bias }) => {
    const [outputs, inputs] = given(weight, "linear").shape as [number, number];
    return partOf(linear(inputs, outputs, { bias: bias !== undefined }), { weight, bias });
  },
  batch_norm: ({ weight, bias }, options) => {
    const scale = given(weight, "batch_norm");
    const momentum = { momentum: options.has("momentum") ? options.number("momentum") : 0.1 };
    const layer = batchNorm(scale.size, { eps: options.number("eps", 1e-5), ...momentum });
    const runningMean = options.tensor("running_mean") ?? scale.zerosLike();
    const runningVar = options.tensor("running_var") ?? scale.onesLike();
    const params = { weight: scale, bias: bias ?? scale.zerosLike() };
    return { ...partOf(layer, params), state: { runningMean, runningVar } };
  },
  conv2d: ({ weight, bias }, options) => {
    const [outputs, channels, ...kernel] = given(weight, "conv2d").shape as [number, number, ...number[]];
    const groups = options.number("groups", 1);
    const layer = conv2d(channels * groups, outputs, kernel, {
      bias: bias !== undefined,
      stride: numbersOr(options, "stride", [1, 1]),
      padding: numbersOr(options, "padding", [0, 0]),
      dilation: numbersOr(options, "dilation", [1, 1]),
      groups,
    });
    return partOf(layer, { weight, bias });
  },
  max_pool2d: (_, options) => {
    const kernel = pair(options.numbers("kernel_size"));
    const stride = numbersOr(options, "stride", kernel);
    const padding = numbersOr(options, "padding", [0, 0]);
    return partOf(maxPool2d(kernel, { stride, padding }));
  },
  layer_norm: ({ weight, bias }, options) => {
    const scale = given(weight, "layer_norm");
    if (options.has("normalized_shape")) options.numbers("normalized_shape");
    const layer = layerNorm(scale.shape, { eps: options.number("eps", 1e-5) });
    return partOf(layer, { weight: scale, bias: bias ?? scale.zerosLike() });
  },
  flatten: () => partOf(flatten()),
  tanh: () => partOf(tanh()),
  relu: () => partOf(relu()),
  leaky_relu: (_, options) => partOf(leakyRelu(options.number("negative_slope", 0.01))),
  gelu: () => partOf(gelu()),
  silu: () => partOf(silu()),
};

/** An option of two axes, which may be one number for both. */
function numbersOr(options: Options, name: string, byDefault: readonly number[]): readonly number[] {
  return options.has(name) ? pair(options.numbers(name)) : byDefault;
}

function pair(list: readonly number[]): readonly number[] {
  return list.length === 1 ? [...list, ...list] : list;
}

function given(weight: Tensor | undefined, layer: string): Tensor {
  return weight ?? fail("invalid-argument", `${layer}: the weight is missing`);
}

function partOf(layer: Layer, params: Readonly<Record<string, Tensor | undefined>> = {}): Part {
  const present = Object.entries(params).filter(([, value]) => value !== undefined);
  return { layer: layer as Layer, params: Object.fromEntries(present) as LayerParams, state: {} };
}

/** A whole training run, step by step, and the network at its end. */
export function trainingChecks(c: TrainingCase, lab: Lab): Check[] {
  const parts = c.layers.map((layer) => layerOf(layer, lab));
  const model = sequential(...parts.map((part) => part.layer));
  const loss = lossCall(c.loss.name, c.loss.options, lab);
  const { reduction = "mean" } = c.loss.options;
  const rule = trainingRule(c, lab);
  const maxNorm = typeof c.clip_grad_norm_ === "object" ? c.clip_grad_norm_?.max_norm : c.clip_grad_norm_;
  const [inputs, targets] = [lab.tensor(c.inputs), lab.tensor(c.targets)];
  const number = (value: GoldenNumber): GoldenTensor => ({
    dtype: (c.dtype ?? "float64") as GoldenDType,
    shape: [],
    data: [value],
  });

  const checks: Check[] = [];
  let params = parts.map((part) => part.params);
  let layerStates: unknown[] = parts.map((part) => part.state);
  let state = rule.init(params);

  c.batches.forEach((rows, step) => {
    const chosen = tensor(Int32Array.from(rows));
    const [x, y] = [inputs.indexSelect(0, chosen), targets.indexSelect(0, chosen)];
    const [value, found, next] = valueAndGrad((p: LayerParams[]): readonly [Tensor, unknown[]] => {
      const [output, after] = model.apply(p, layerStates, x, { train: true });
      const predictions = c.squeeze_last === true ? output.squeeze(-1) : output;
      return [loss([predictions, y], String(reduction)), after as unknown[]];
    })(params);
    layerStates = next;
    if (step === 0) checks.push(...firstGradients(found, c.first_gradients));
    const wantedLoss = c.expected.losses[step];
    if (wantedLoss !== undefined)
      checks.push({ what: `loss of step ${step}`, got: value, want: number(wantedLoss) });
    const clipped = maxNorm === undefined || maxNorm === null ? undefined : clipByGlobalNorm(found, maxNorm);
    const wantedNorm = c.expected.gradient_norms?.[step];
    if (wantedNorm !== undefined) {
      const norm = clipped?.norm ?? clipByGlobalNorm(found, Infinity).norm;
      checks.push({ what: `gradient norm of step ${step}`, got: norm, want: number(wantedNorm) });
    }
    const update = rule.update(clipped?.grads ?? found, state, { params });
    params = applyUpdates(params, update.updates);
    state = update.state;
  });

  const [outputs] = model.apply(params, layerStates, inputs, { train: false });
  for (const [path, want] of Object.entries(c.expected.parameters)) {
    checks.push({ what: path, got: valueAt(params, path), want });
  }
  for (const [path, want] of Object.entries(c.expected)) {
    if (isGoldenTensor(want) && path !== "outputs")
      checks.push({ what: path, got: valueAt(layerStates as LayerParams[], path), want });
  }
  return [...checks, { what: "outputs", got: outputs, want: c.expected.outputs }];
}

function layerOf(layer: TrainingLayer, lab: Lab): Part {
  const translation = Object.hasOwn(layers, layer.kind) ? layers[layer.kind] : undefined;
  if (translation === undefined) return unsupported(`layer ${layer.kind}`);
  const given = Object.entries(layer).flatMap(([name, value]) =>
    isGoldenTensor(value) ? [[name, lab.tensor(value)]] : [],
  );
  const options = new Options(layer.options ?? {}, `layer ${layer.kind}`, lab);
  const part = translation(Object.fromEntries(given), options);
  options.finish();
  return part;
}

function trainingRule({ optimizer, scheduler }: TrainingCase, lab: Lab): ReturnType<typeof ruleOf> {
  if (scheduler === undefined || scheduler === null) return ruleOf(optimizer.name, optimizer.options, lab);
  const base = optimizer.options.lr;
  if (typeof base !== "number") return unsupported("a scheduler without lr");
  const schedule = scheduleOf(scheduler.name, scheduler.options, { base, group: 0, lab });
  return ruleOf(optimizer.name, optimizer.options, lab, [], [schedule]);
}

function firstGradients(found: readonly LayerParams[], wanted: MaybeTensors): Check[] {
  return Object.entries(wanted).flatMap(([path, want]) =>
    want === null ? [] : [{ what: `first gradient of ${path}`, got: valueAt(found, path), want }],
  );
}

const names: Readonly<Record<string, string>> = { running_mean: "runningMean", running_var: "runningVar" };

/** The tensor at a path such as `2.weight`. */
function valueAt(parts: readonly LayerParams[], path: string): Tensor {
  const [index = "", name = ""] = path.split(".");
  const found = parts[Number(index)]?.[names[name] ?? name];
  return (
    found ??
    fail(
      "tree-mismatch",
      `there is no ${path} among ${tensorsOf(parts)
        .map((x) => formatShape(x.shape))
        .join(", ")}`,
    )
  );
}
