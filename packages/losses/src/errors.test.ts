import { isGradusError, type Reduction } from "@gradus/core";
import { ones, tensor, zeros } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
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
} from "./index.js";

const indices = (values: number[]) => tensor(values, { dtype: "i32" });

/** The bad input of the golden files' `errors.json`, by its names there, with what the message must say. */
const rejected: Readonly<Record<string, readonly [call: () => unknown, code: string, message: string]>> = {
  mse_shapes: [() => mse(ones([3]), ones([4])), "shape-mismatch", "predictions [3] and targets [4]"],
  reduction_name: [
    () => mse(ones([3]), ones([3]), { reduction: "avg" as Reduction }),
    "invalid-argument",
    'reduction "avg" is unknown: use "none", "mean" or "sum"',
  ],
  bce_shapes: [() => bce(ones([3, 1]), ones([3])), "shape-mismatch", "probabilities [3, 1] and targets [3]"],
  bce_above_1: [() => bce(tensor([1.2]), tensor([1])), "invalid-argument", "must be in [0, 1], got 1.2"],
  bce_below_0: [() => bce(tensor([-0.1]), tensor([1])), "invalid-argument", "must be in [0, 1], got -0.1"],
  bce_nan: [() => bce(tensor([Number.NaN]), tensor([1])), "invalid-argument", "must be in [0, 1], got NaN"],
  bce_logits_shapes: [
    () => bceWithLogits(ones([3, 1]), ones([3])),
    "shape-mismatch",
    "logits [3, 1] and targets [3] must have the same shape. They differ in axes of size 1 only",
  ],
  ce_class_too_large: [
    () => crossEntropy(ones([2, 3]), indices([0, 3])),
    "index-out-of-range",
    "target 3 at row 1 is not a class: there are 3 of them, 0 to 2",
  ],
  ce_class_negative: [
    () => crossEntropy(ones([2, 3]), indices([0, -1])),
    "index-out-of-range",
    "target -1 at row 1 is not a class: there are 3 of them, 0 to 2 (and ignoreIndex is -100)",
  ],
  ce_batch_mismatch: [
    () => crossEntropy(ones([2, 3]), indices([0, 1, 2])),
    "shape-mismatch",
    "There are 2 samples and 3 targets",
  ],
  ce_float_indices: [
    () => crossEntropy(ones([2, 3]), tensor([0, 1])),
    "dtype-mismatch",
    'class indices must be i32, got f32. Convert them: targets.cast("i32")',
  ],
  ce_weight_size: [
    () => crossEntropy(ones([2, 3]), indices([0, 1]), { weight: ones([2]) }),
    "shape-mismatch",
    "weight [2] must have one number for each of 3 classes",
  ],
  ce_smoothing_range: [
    () => crossEntropy(ones([2, 3]), indices([0, 1]), { labelSmoothing: 1.5 }),
    "invalid-argument",
    "labelSmoothing must be in [0, 1], got 1.5",
  ],
  ce_probabilities_ignore: [
    () => crossEntropy(ones([2, 3]), ones([2, 3]).div(3), { ignoreIndex: 1 }),
    "invalid-argument",
    "ignoreIndex means nothing for probabilities",
  ],
  nll_spatial: [
    () => nll(ones([2, 3, 4]).neg(), zeros([2, 5], { dtype: "i32" })),
    "shape-mismatch",
    "targets [2, 5] do not fit logProbabilities [2, 3, 4]",
  ],
  huber_delta: [
    () => huber(ones([2]), zeros([2]), { delta: 0 }),
    "invalid-argument",
    "delta must be more than 0, got 0",
  ],
  smooth_l1_beta: [
    () => smoothL1(ones([2]), zeros([2]), { beta: -1 }),
    "invalid-argument",
    "beta must be at least 0, got -1",
  ],
  gaussian_var_negative: [
    () => gaussianNLL(ones([2]), zeros([2]), tensor([1, -1])),
    "invalid-argument",
    "variances must not be negative, got -1 at row 1",
  ],
  cosine_target_shape: [
    () => cosineEmbedding(ones([3, 2]), ones([3, 2]), ones([3, 2])),
    "shape-mismatch",
    "targets [3, 2] do not fit vectors [3, 2]",
  ],
  multi_margin_class: [
    () => multiMargin(ones([2, 3]), indices([0, 3])),
    "index-out-of-range",
    "target 3 at row 1 is not a class",
  ],
  // What PyTorch takes, some of it with a warning, and means no good.
  mse_broadcast: [() => mse(ones([3, 1]), zeros([3])), "shape-mismatch", "predictions.reshape(...)?"],
  bce_target_outside: [
    () => bce(tensor([0.5]), tensor([2])),
    "invalid-argument",
    "targets must be in [0, 1], got 2 at row 0. Are the arguments swapped?",
  ],
  ce_probabilities_not_normalised: [
    () => crossEntropy(zeros([1, 2]), tensor([[3, 4]])),
    "invalid-argument",
    "target probabilities must be in [0, 1], got 3",
  ],
  kldiv_input_not_log: [
    () => klDiv(tensor([0.5, 0.5]), tensor([0.25, 0.75]), { reduction: "sum" }),
    "invalid-argument",
    "Of probabilities take the logarithm",
  ],
  nll_not_log_probabilities: [
    () => nll(tensor([[2, 3]]), indices([0]), { validate: true }),
    "invalid-argument",
    "logProbabilities must not be positive, got 2",
  ],
};

describe("bad input is refused, in words", () => {
  it.each(Object.entries(rejected))("%s", (_, [call, code, message]) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(isGradusError(thrown) && thrown.code).toBe(code);
    expect((thrown as Error).message).toContain(message);
  });
});
