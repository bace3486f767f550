import { fail, formatShape, type Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { crossEntropy } from "./cross-entropy.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface InfoNCEOptions extends LossOptions {
  /** What the cosines are divided by, more than 0. Default 0.1. */
  readonly temperature?: number;
  /** Whether to average the losses of finding the key of a query and the query of a key. Default false. */
  readonly symmetric?: boolean;
}

/**
 * The contrastive loss of N pairs: the cross-entropy of finding each query's own key among all keys, by the
 * cosines of the angles between them divided by `temperature`, averaged.
 *
 * Queries and keys are f32 or f64, `[N, D]`; row i of both is a pair. The unreduced losses are `[N]`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `temperature` that is not positive,
 * an unknown reduction or a negative `sampleWeight`.
 *
 * Source: van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018; symmetric:
 * Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021. PyTorch has
 * none.
 *
 * @example
 * ```ts
 * import { infoNCE } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [queries, keys] = [tensor([[2, 0], [0, 3]]), tensor([[1, 0], [0, 1]])];
 * infoNCE(queries, keys, { temperature: 1 }).item(); // → 0.3133
 * ```
 */
export function infoNCE(queries: Tensor, keys: Tensor, options: InfoNCEOptions = {}): Tensor {
  const { temperature = 0.1, symmetric = false } = options;
  checkAlike("infoNCE", "queries", queries, keys, "keys");
  if (queries.ndim !== 2) {
    fail("shape-mismatch", `infoNCE: queries must be [N, D], got ${formatShape(queries.shape)}`);
  }
  checkOption("infoNCE", "temperature", temperature, temperature > 0, "more than 0");
  // Nothing has no other among which it could be found.
  if (queries.size === 0) return reduceLoss("infoNCE", queries.sum(1), options);
  const logits = unit(queries)
    .matmul(unit(keys.cast(queries.dtype)).transpose())
    .div(temperature);
  const own = queries.engine.arange(0, queries.shape[0] as number, 1, {
    dtype: "i32",
    device: queries.device,
  });
  const find = (scores: Tensor): Tensor => crossEntropy(scores, own, { reduction: "none", validate: false });
  const losses = symmetric ? find(logits).add(find(logits.transpose())).mul(0.5) : find(logits);
  return reduceLoss("infoNCE", losses, options);
}

/** Rows of length 1; a row of zeros stays. */
export function unit(rows: Tensor): Tensor {
  return rows.div(rows.norm(-1, { keepdims: true }).maximum(1e-12));
}
