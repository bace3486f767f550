import { type Rule, type RuleContext, type RuleState, scalar } from "@gradus/core";
import { checkOwner, checkParams, checkUpdate } from "./check-trees.js";

/**
 * A function of gradients as a rule, for {@link chain}: clipping, centralisation, a mask, whatever keeps no state.
 *
 * @param name for reports and checkpoints
 * @param f gives gradients of the same structure and shapes; it may look at the parameters.
 *
 * @example
 * ```ts
 * import { adam, centralize, chain, clipByBlock, clipByGlobalNorm, transform } from "@gradus/optimizers";
 * const centred = transform("centralize", centralize);
 * const clipped = transform("clip", (grads) => clipByGlobalNorm(grads, 1).grads);
 * const adaptive = transform("agc", (grads, { params }) => clipByBlock(grads, params));
 * chain(centred, clipped, adaptive, adam()).name; // → chain(centralize, clip, agc, adam)
 * ```
 */
export function transform(name: string, f: <P>(grads: P, context: RuleContext<P>) => P): Rule {
  return {
    name,
    init(params) {
      checkParams(name, params);
      return { rule: name, step: scalar(0), slots: {} };
    },
    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      checkOwner(name, state);
      checkUpdate(name, grads, state, context, []);
      return { updates: f(grads, context), state: { ...state, step: state.step.map((t) => t + 1) } };
    },
  };
}
