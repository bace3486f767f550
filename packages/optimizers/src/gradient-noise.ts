import {
  fail,
  mapTree,
  type Rule,
  type RuleContext,
  type RuleState,
  scalar,
  type Tensor,
} from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { checkOwner, checkParams, checkUpdate } from "./check-trees.js";

export interface GradientNoiseOptions {
  /** The variance at the first step. Default 0.01. */
  readonly eta?: number;
  /** How fast the variance falls: it is divided by `(1 + t)^gamma`. Default 0.55. */
  readonly gamma?: number;
}

/**
 * Gradients with normal noise of variance `eta / (1 + t)^gamma`, for {@link chain}. It draws from `context.key`, which `fit`
 * gives.
 *
 * @throws `invalid-argument` for negative numbers and an empty parameter tree; `update`, without a `key` in the context.
 *
 * Source: Neelakantan et al., "Adding Gradient Noise Improves Learning for Very Deep Networks", 2015.
 *
 * @example
 * ```ts
 * import { chain, gradientNoise, sgd } from "@gradus/optimizers";
 * import { key, zeros } from "@gradus/tensor";
 * const rule = chain(gradientNoise({ eta: 1 }), sgd({ lr: 1 }));
 * const params = { w: zeros([1000]) };
 * const { updates } = rule.update(params, rule.init(params), { params, key: key(0) });
 * console.log(Math.abs(updates.w.std().item() - 1) < 0.1); // → true
 * ```
 */
export function gradientNoise(options: GradientNoiseOptions = {}): Rule {
  const { eta = 0.01, gamma = 0.55 } = options;
  const name = "gradientNoise";
  checkNonNegative(name, { eta, gamma });
  return {
    name,
    init(params) {
      checkParams(name, params);
      return { rule: name, step: scalar(0), slots: {} };
    },
    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      checkOwner(name, state);
      checkUpdate(name, grads, state, context, []);
      const { key } = context;
      if (key === undefined) {
        return fail(
          "invalid-argument",
          `${name}: the context has no key. Pass key: key(seed).foldIn(step) to update()`,
        );
      }
      const deviation = state.step.map((t) => Math.sqrt(eta / (1 + t) ** gamma));
      let leaf = 0;
      // In the order of the parameters, whatever that of the gradients.
      const noisy = (_: Tensor, g: Tensor): Tensor =>
        g.add(key.foldIn(leaf++).normal(g.shape, { dtype: g.dtype, device: g.device }).mul(deviation));
      const updates = mapTree(context.params, (p, g) => noisy(p, g as Tensor), grads);
      return { updates, state: { ...state, step: state.step.map((t) => t + 1) } };
    },
    hyper: ({ step }) => ({ noiseVariance: eta / (1 + step.value) ** gamma }),
  };
}
