import { fail, formatShape, type Tensor } from "@gradus/core";
import { checkAlike, checkOption } from "./check-arguments.js";
import { crossEntropy } from "./cross-entropy.js";
import { unit } from "./info-nce.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface NtXentOptions extends LossOptions {
  /** What the cosines are divided by, more than 0. Default 0.5. */
  readonly temperature?: number;
}

/**
 * The contrastive loss of SimCLR, of N pairs: the cross-entropy of finding each vector's partner among all 2 N - 1 other
 * vectors, of both sides, by the cosines of the angles between them divided by `temperature`, averaged. `infoNCE` looks
 * for it among the N vectors of the other side only.
 *
 * Both sides are f32 or f64, `[N, D]`; row i of both is a pair. The unreduced losses, `[N]`, are the means of both
 * directions.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `temperature` that is not positive, an unknown
 * reduction or a negative `sampleWeight`.
 *
 * Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020. PyTorch has none.
 *
 * @example
 * ```ts
 * import { ntXent } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const [first, second] = [tensor([[2, 0], [0, 3]]), tensor([[1, 0], [0, 1]])];
 * // Of three others one has cosine 1 and two have 0: log(1 + 2 / e).
 * ntXent(first, second, { temperature: 1 }).item(); // → 0.5514
 * ```
 */
export function ntXent(first: Tensor, second: Tensor, options: NtXentOptions = {}): Tensor {
  const { temperature = 0.5 } = options;
  checkAlike("ntXent", "first", first, second, "second");
  if (first.ndim !== 2) {
    fail("shape-mismatch", `ntXent: first must be [N, D], got ${formatShape(first.shape)}`);
  }
  checkOption("ntXent", "temperature", temperature, temperature > 0, "more than 0");
  // Nothing has no other among which it could be found.
  if (first.size === 0) return reduceLoss("ntXent", first.sum(1), options);
  const pairs = first.shape[0] as number;
  const { engine, device } = first;
  const count = (start: number, stop: number): Tensor =>
    engine.arange(start, stop, 1, { dtype: "i32", device });
  const all = engine.concat([unit(first), unit(second.cast(first.dtype))], 0);
  const every = count(0, 2 * pairs);
  const self = every.unsqueeze(1).eq(every);
  const scores = self.where(Number.NEGATIVE_INFINITY, all.matmul(all.transpose()).div(temperature));
  const partner = engine.concat([count(pairs, 2 * pairs), count(0, pairs)], 0);
  const costs = crossEntropy(scores, partner, { reduction: "none", validate: false });
  return reduceLoss("ntXent", costs.reshape([2, pairs]).mean(0), options);
}
