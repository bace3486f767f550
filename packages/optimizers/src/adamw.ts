import type { Rule } from "@gradus/core";
import type { AdamOptions } from "./adam.js";
import { adamRule } from "./adam-rule.js";
import type { WeightDecay } from "./weight-decay.js";

export interface AdamWOptions extends AdamOptions {
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0.01. */
  readonly weightDecay?: WeightDecay;
}

/**
 * AdamW: {@link adam} with a weight decay of its own, `p = p - lr weightDecay p`, instead of a penalty in the
 * gradient.
 *
 * @throws As `adam`.
 *
 * Source: PyTorch's `optim.AdamW`; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
 *
 * @example
 * ```ts
 * import { adamw, applyUpdates } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = adamw({ lr: 0.1, weightDecay: 0.5 });
 * const params = { w: tensor([1, -1]) };
 * const { updates } = rule.update({ w: tensor([0.5, -3]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.85, -0.85]
 * ```
 */
export function adamw(options: AdamWOptions = {}): Rule {
  return adamRule("adamw", options, { decay: "parameter", weightDecay: options.weightDecay ?? 0.01 });
}
