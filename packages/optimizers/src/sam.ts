import { fail, mapTree, type Rule, type RuleContext, type RuleState, tensorsOf } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { wrapRule } from "./wrap-rule.js";

export interface SamOptions {
  /** How far away the loss is looked at. Default 0.05. */
  readonly rho?: number;
  /** Measure the distance in proportion to each parameter's size (ASAM); wants a `rho` about 10 times greater. Default false. */
  readonly adaptive?: boolean;
}

/**
 * Sharpness-aware minimisation: the rule is given the gradients where the loss is greatest near by, so that it ends where
 * the loss is flat. Each step costs two gradients.
 *
 * ```text
 * e = rho g / norm(g)                       (adaptive: rho p^2 g / norm(|p| g))
 * the rule's update of the gradients at p + e
 * ```
 *
 * It needs `valueAndGrad` in the context: `fit` gives it.
 *
 * @throws `invalid-argument` for a negative `rho`; `update`, without `valueAndGrad` in the context, and as the rule's own.
 *
 * Source: Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", 2021; Kwon et al., "ASAM",
 * 2021.
 *
 * @example
 * ```ts
 * import { valueAndGrad } from "@gradus/autograd";
 * import { sam, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = sam(sgd({ lr: 1 }), { rho: 0.5 });
 * const params = { w: tensor([3, 4]) };
 * const at = valueAndGrad((p: typeof params) => p.w.square().sum().div(2));
 * const [, grads] = at(params);
 * const { updates } = rule.update(grads, rule.init(params), { params, valueAndGrad: at });
 * console.log(updates.w); // → Tensor f32[2] [-3.3, -4.4]
 * ```
 */
export function sam(rule: Rule, options: SamOptions = {}): Rule {
  const { rho = 0.05, adaptive = false } = options;
  checkNonNegative("sam", { rho });
  const wrapped = wrapRule("sam", rule);
  const { name } = wrapped;
  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      return { rule: name, step: inner.step, slots: {}, inner: { rule: inner } };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      checkUpdate(name, grads, state, context, []);
      const { params, valueAndGrad } = context;
      if (valueAndGrad === undefined) {
        return fail(
          "invalid-argument",
          `${name}: the context has no valueAndGrad. Pass valueAndGrad: (params) => [loss, grads] to update()`,
        );
      }
      const sized = adaptive ? mapTree(grads, (g, p) => g.mul(p.abs()), params) : grads;
      const squares = tensorsOf(sized).map((g) => g.square().sum());
      const norm = squares.reduce((a, b) => a.add(b)).sqrt();
      const scale = norm.add(1e-12).reciprocal().mul(rho);
      const away = mapTree(params, (p, g) => p.add((adaptive ? g.mul(p.square()) : g).mul(scale)), grads);
      const [, there] = valueAndGrad(away);
      const next = rule.update(there, before, context);
      return {
        updates: next.updates,
        state: { ...state, step: state.step.map((t) => t + 1), inner: { rule: next.state } },
      };
    },
  };
}
