import { backward, variable, vjp } from "@gradus/autograd";
import { isGradusError, type Layer, type Reduction, tensorsOf } from "@gradus/core";
import {
  bce,
  bceWithLogits,
  cosineEmbedding,
  crossEntropy,
  gaussianNLL,
  huber,
  klDiv,
  mse,
  multiMargin,
  nll,
  smoothL1,
} from "@gradus/losses";
import { batchNorm, dropout, embedding, layerNorm, linear } from "@gradus/nn";
import {
  adadelta,
  adam,
  adamw,
  applyUpdates,
  cosineWarmRestarts,
  guarded,
  lbfgs,
  type OneCycleOptions,
  oneCycle,
  reduceOnPlateau,
  type SgdOptions,
  sequence,
  sgd,
} from "@gradus/optimizers";
import {
  concat,
  defaultDevice,
  einsum,
  inv,
  key,
  narrow,
  ones,
  padWith,
  select,
  split,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "@gradus/tensor";
import type { Check } from "../compare.js";
import type { ErrorCase } from "../schema/cases.js";
import { Undecided, Untranslated } from "../unsupported.js";

type Program = () => unknown;

const indices = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "i32" });
const parameters = (): Tensor[] => [ones([2])];
const train = { train: true } as const;

/** Bad input by the id of its case; each must throw an error of the library's. What does not exist here has no entry. */
const rejected: Readonly<Record<string, Program>> = {
  "tensor/matmul_inner_mismatch": () => ones([2, 3]).matmul(ones([2, 3])),
  "tensor/matmul_batch_mismatch": () => ones([2, 3, 4]).matmul(ones([3, 4, 5])),
  "tensor/matmul_scalar": () => tensor(1).matmul(ones([2])),
  "tensor/mv_mismatch": () => ones([2, 3]).matmul(ones([2])),
  "tensor/dot_sizes": () => ones([3]).matmul(ones([4])),
  "tensor/broadcast": () => ones([2, 3]).add(ones([2])),
  "tensor/broadcast_middle": () => ones([2, 3, 4]).mul(ones([2, 2, 4])),
  "tensor/negative_size": () => zeros([2, -1]),
  "tensor/reshape_count": () => ones([6]).reshape([4, 2]),
  "tensor/reshape_two_unknown": () => ones([6]).reshape([-1, -1]),
  "tensor/reshape_infer_impossible": () => ones([6]).reshape([4, -1]),
  "tensor/dim_out_of_range": () => ones([2, 3]).sum(2),
  "tensor/dim_repeated": () => ones([2, 3]).sum([0, 0]),
  "tensor/permute_incomplete": () => ones([2, 3, 4]).permute([0, 1]),
  "tensor/permute_repeated": () => ones([2, 3]).permute([0, 0]),
  "tensor/transpose_dim": () => ones([2, 3]).transpose(0, 3),
  "tensor/index_out_of_range": () => ones([3]).index(3),
  "tensor/index_tensor_out_of_range": () => ones([3]).index(indices([0, 5])),
  "tensor/too_many_indices": () => ones([3]).index(0, 0),
  "tensor/mask_shape": () => ones([3]).index(tensor([true, false])),
  "tensor/select_out_of_range": () => select(ones([2, 3]), 1, 3),
  "tensor/narrow_too_long": () => narrow(ones([4]), 0, 2, 3),
  "tensor/gather_out_of_range": () => ones([2, 2]).gather(1, indices([[0, 2]])),
  "tensor/gather_dims": () => ones([2, 2]).gather(1, indices([0])),
  "tensor/gather_float_index": () => ones([3]).gather(0, tensor([0])),
  "tensor/index_select_out_of_range": () => ones([3]).indexSelect(0, indices([3])),
  "tensor/scatter_add_out_of_range": () => zeros([3]).scatterAdd(0, indices([4]), ones([1])),
  "tensor/cat_sizes": () => concat([ones([2, 3]), ones([2, 4])], 0),
  "tensor/cat_dims": () => concat([ones([2, 3]), ones([3])], 0),
  "tensor/cat_nothing": () => concat([]),
  "tensor/stack_sizes": () => stack([ones([2]), ones([3])]),
  "tensor/split_sections": () => split(ones([5]), [2, 2]),
  "tensor/expand_wrong": () => ones([2, 3]).expand([4, 3]),
  "tensor/squeeze_dim": () => ones([2]).squeeze(1),
  "tensor/ragged": () => tensor([[1, 2], [3]]),
  "tensor/item_of_many": () => ones([2]).item(),
  "tensor/max_of_empty": () => zeros([0]).max(),
  "tensor/argmax_empty_dim": () => zeros([2, 0]).argmax(1),
  "tensor/topk_k": () => ones([3]).topk(4),
  "tensor/pad_reflect_too_large": () =>
    padWith(
      ones([1, 1, 3]),
      [
        [0, 0],
        [0, 0],
        [3, 0],
      ],
      "reflect",
    ),
  "tensor/inverse_singular": () => inv(zeros([2, 2])),
  "tensor/one_hot_range": () => indices([0, 3]).oneHot(3),
  "tensor/einsum_size": () => einsum("ij,jk->ik", ones([2, 3]), ones([2, 3])),
  "tensor/einsum_unknown_output": () => einsum("ij->ik", ones([2, 3])),
  "tensor/einsum_operands": () => einsum("ij,jk->ik", ones([2, 3])),

  "nn/linear_features": () =>
    linear(5, 4, { bias: false }).apply({ weight: ones([4, 5]) }, {}, ones([2, 3]), train),
  "nn/module_wrong_input": () => apply(linear(3, 2), ones([1, 4])),
  "nn/batch_norm_one_value": () => apply(batchNorm(3), ones([1, 3])),
  "nn/batch_norm_channels": () => apply(batchNorm(4), ones([2, 3])),
  "nn/dropout_p": () => dropout(1.5),
  "nn/conv2d_channels": () => ones([1, 3, 5, 5]).conv(ones([2, 4, 3, 3])),
  "nn/conv2d_kernel_larger": () => ones([1, 1, 2, 2]).conv(ones([1, 1, 3, 3])),
  "nn/conv2d_groups": () => ones([1, 4, 5, 5]).conv(ones([3, 2, 3, 3]), { groups: 2 }),
  "nn/conv2d_dims": () => ones([5, 5]).conv(ones([1, 1, 3, 3])),
  "nn/max_pool_kernel": () => ones([1, 1, 2, 2]).maxPool(3),
  "nn/max_pool_padding": () => ones([1, 1, 4, 4]).maxPool(2, { padding: 2 }),
  "nn/layer_norm_shape": () => apply(layerNorm([4]), ones([2, 3])),
  "nn/embedding_range": () => apply(embedding(3, 2), indices([5])),
  "nn/embedding_float": () => apply(embedding(3, 2), tensor([1])),

  "losses/mse_shapes": () => mse(ones([3]), ones([4])),
  "losses/reduction_name": () => mse(ones([3]), ones([3]), { reduction: "avg" as Reduction }),
  "losses/bce_shapes": () => bce(ones([3, 1]), ones([3])),
  "losses/bce_above_1": () => bce(tensor([1.2]), tensor([1])),
  "losses/bce_below_0": () => bce(tensor([-0.1]), tensor([1])),
  "losses/bce_nan": () => bce(tensor([Number.NaN]), tensor([1])),
  "losses/bce_logits_shapes": () => bceWithLogits(ones([3, 1]), ones([3])),
  "losses/ce_class_too_large": () => crossEntropy(ones([2, 3]), indices([0, 3])),
  "losses/ce_class_negative": () => crossEntropy(ones([2, 3]), indices([0, -1])),
  "losses/ce_batch_mismatch": () => crossEntropy(ones([2, 3]), indices([0, 1, 2])),
  "losses/ce_float_indices": () => crossEntropy(ones([2, 3]), tensor([0, 1])),
  "losses/ce_weight_size": () => crossEntropy(ones([2, 3]), indices([0, 1]), { weight: ones([2]) }),
  "losses/ce_smoothing_range": () => crossEntropy(ones([2, 3]), indices([0, 1]), { labelSmoothing: 1.5 }),
  "losses/ce_probabilities_ignore": () => crossEntropy(ones([2, 3]), ones([2, 3]).div(3), { ignoreIndex: 1 }),

  "losses/nll_spatial": () => nll(ones([2, 3, 4]), zeros([2, 5], { dtype: "i32" })),
  "losses/huber_delta": () => huber(ones([2]), zeros([2]), { delta: 0 }),
  "losses/smooth_l1_beta": () => smoothL1(ones([2]), zeros([2]), { beta: -1 }),
  "losses/gaussian_var_negative": () => gaussianNLL(ones([2]), zeros([2]), tensor([1, -1])),
  "losses/cosine_target_shape": () => cosineEmbedding(ones([3, 2]), ones([3, 2]), ones([3, 2])),
  "losses/multi_margin_class": () => multiMargin(ones([2, 3]), indices([0, 3])),

  "autograd/backward_non_scalar": () => {
    const x = variable(ones([3]));
    return backward(x.mul(2), { x });
  },
  "autograd/backward_no_grad": () => backward(ones([3]).sum(), { x: ones([3]) }),
  "autograd/gradient_shape": () => vjp((x: Tensor) => x.mul(2), ones([3]))[1](ones([2])),
  "autograd/integer_requires_grad": () => variable(ones([3], { dtype: "i32" })),
  "autograd/grad_unused": () => backward(variable(ones([2])).sum(), { w: variable(ones([2])) }),

  "optimizers/no_parameters": () => sgd({ lr: 0.1 }).init([]),
  "optimizers/not_a_tensor": () => sgd({ lr: 0.1 }).init([1]),
  "optimizers/sgd_without_lr": () => sgd({} as SgdOptions),
  "optimizers/negative_lr": () => adam({ lr: -0.1 }),
  "optimizers/beta1": () => adam({ beta1: 1 }),
  "optimizers/beta2": () => adamw({ beta1: 0.9, beta2: 1.5 }),
  "optimizers/eps": () => adam({ eps: -1e-8 }),
  "optimizers/weight_decay": () => sgd({ lr: 0.1, weightDecay: -0.1 }),
  "optimizers/momentum": () => sgd({ lr: 0.1, momentum: -0.5 }),
  "optimizers/nesterov": () => sgd({ lr: 0.1, nesterov: true }),
  "optimizers/rho": () => adadelta({ rho: 1.5 }),

  "optimizers/lbfgs_line_search": () => lbfgs({ lineSearch: "armijo" as "none" }),

  "schedulers/one_cycle_no_length": () => oneCycle({ maxLr: 1 } as OneCycleOptions),
  "schedulers/one_cycle_pct": () => oneCycle({ maxLr: 1, steps: 10, rise: 1.5 }),
  "schedulers/one_cycle_too_far": () => oneCycle({ maxLr: 1, steps: 2 }).lr(4),
  "schedulers/plateau_factor": () => reduceOnPlateau(sgd({ lr: 0.1 }), { factor: 1 }),
  "schedulers/plateau_mode": () => reduceOnPlateau(sgd({ lr: 0.1 }), { mode: "best" as "min" }),
  "schedulers/plateau_no_metric": () => {
    const rule = reduceOnPlateau(sgd({ lr: 0.1 }));
    return rule.observe?.(rule.init(parameters()), undefined as never);
  },
  "schedulers/warm_restarts_t0": () => cosineWarmRestarts({ from: 0.1, steps: 0 }),
  "schedulers/sequential_milestones": () => sequence([0.1, 0.1], [2, 4]),

  "clipping/non_finite": () => {
    const [rule, params] = [guarded(sgd({ lr: 0.1 })), parameters()];
    return rule.update([tensor([1, Number.NaN])], rule.init(params), { params });
  },
};

/** Why a case has no counterpart here. */
const withoutCounterpart: Readonly<Record<string, string>> = {
  "tensor/bmm_2d": "matmul takes matrices as well as batches of them",
  "tensor/in_place_broadcast": "tensors do not change in place",
  "tensor/view_non_contiguous": "reshape copies where strides cannot be joined",
  "tensor/bool_of_many": "JavaScript has no truth value that an object can refuse",
  "tensor/mean_of_integers": "the mean of integers is f32, as NumPy's is a float",
  "autograd/backward_twice": "a recorded graph lives until its tensors are gone, so backward runs again",
  "autograd/leaf_in_place": "tensors do not change in place",
  "autograd/saved_tensor_changed": "tensors do not change in place",
  "autograd/numpy_of_grad": "reading a value that is recorded is allowed",
  "autograd/requires_grad_of_non_leaf": "no flag: a function says by what it is differentiated",
  "optimizers/not_a_list": "a single tensor is a tree of parameters",
  "optimizers/non_leaf": "no leaves: parameters are values",
  "optimizers/duplicate_in_groups": "partition gives every parameter one rule",
  "optimizers/lbfgs_groups": "lbfgs takes any tree, and has no groups",
  "optimizers/lbfgs_no_closure": "a step without its objective does not compile",
  "optimizers/duplicate_in_list": "parameters are values: two equal ones are two parameters",
  "schedulers/not_an_optimizer": "schedules are values that do not hold a rule",
  "schedulers/lambda_count": "a schedule is one function; partition has one for each group",
  "schedulers/linear_factor": "warmups and decays state both ends",
  "schedulers/cyclic_momentum": "cyclic() of a rate and of a momentum are two schedules",
  "schedulers/step_before_optimizer": "the step's number is in the state",
};

/** Questionable input that PyTorch takes. */
const accepted: Readonly<Record<string, Program>> = {
  "losses/mse_broadcast": () => mse(ones([3, 1]), zeros([3])),
  "losses/bce_target_outside": () => bce(tensor([0.5]), tensor([2])),
  "losses/ce_probabilities_not_normalised": () => crossEntropy(zeros([1, 2]), tensor([[3, 4]])),
  "losses/kldiv_mean_warning": () => klDiv(tensor([[0.5, 0.5]]).log(), tensor([[0.25, 0.75]])),
  "losses/kldiv_input_not_log": () => klDiv(tensor([0.5, 0.5]), tensor([0.25, 0.75]), { reduction: "sum" }),
  "losses/nll_not_log_probabilities": () => nll(tensor([[2, 3]]), indices([0]), { validate: true }),
  "optimizers/lr_0": () => adam({ lr: 0 }).init(parameters()),
  "optimizers/nan_gradient": () => {
    const [rule, params] = [sgd({ lr: 0.1 }), parameters()];
    return applyUpdates(
      params,
      rule.update([tensor([Number.NaN, 1])], rule.init(params), { params }).updates,
    );
  },
  "tensor/divide_by_zero": () => tensor([1, 0]).div(tensor([0, 0])),
  "tensor/std_of_one": () => tensor([1]).std(),
  "tensor/mean_of_empty": () => zeros([0]).mean(),
};

/** What only the numbers tell: they are looked at where that needs no waiting, see `LossOptions.validate`. */
const seenInValues: ReadonlySet<string> = new Set([
  "losses/bce_above_1",
  "losses/bce_below_0",
  "losses/bce_nan",
  "losses/gaussian_var_negative",
  "clipping/non_finite",
]);

export const errorCounts = { rejected: Object.keys(rejected).length, accepted: Object.keys(accepted).length };

/** Whether a program is rejected with an error of the library's. */
export async function errorChecks(
  section: "rejected" | "accepted",
  { id, why }: ErrorCase,
): Promise<Check[]> {
  const table = section === "rejected" ? rejected : accepted;
  const program = Object.hasOwn(table, id) ? table[id] : undefined;
  if (program === undefined) throw new Untranslated(withoutCounterpart[id] ?? "error");
  const device = defaultDevice();
  if (device.readSync === undefined && seenInValues.has(id)) {
    throw new Undecided(`${device.name} cannot be read without waiting, so values are not looked at`);
  }
  const { passed, got } = await attempt(program);
  return [{ what: "rejected", passed, expected: `a GradusError: ${why}`, got }];
}

/** Runs it, and reads what it returns: some devices only then say what they found in the numbers. */
async function attempt(program: Program): Promise<{ readonly passed: boolean; readonly got: string }> {
  try {
    const result = program();
    await Promise.all(tensorsOf(result).map((x) => x.read()));
    return { passed: false, got: `no error, but ${String(result)}` };
  } catch (error) {
    return { passed: isGradusError(error), got: String(error) };
  }
}

/** A layer in training, from its own beginning. */
function apply<P, S>(layer: Layer<P, S>, x: Tensor): unknown {
  const { params, state } = layer.init(key(0));
  return layer.apply(params, state, x, train);
}
