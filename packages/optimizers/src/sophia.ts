import { fail, mapTreeWithPath, type Rule, type RuleContext, type Schedule } from "@gradus/core";
import { checkCount, checkDecay, checkPositive } from "./check-options.js";
import { flagOf } from "./choose.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface SophiaOptions {
  /** The learning rate, or a schedule of it: about that of Lion. Default 1e-4. */
  readonly lr?: Schedule;
  /** How much of the last first moment is kept, in [0, 1). Default 0.96. */
  readonly beta1?: number;
  /** How much of the last curvature is kept, in [0, 1). Default 0.99. */
  readonly beta2?: number;
  /** What the curvature is multiplied by: smaller clips more. Default 0.01. */
  readonly gamma?: number;
  /** The least denominator. Default 1e-12. */
  readonly eps?: number;
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0.1. */
  readonly weightDecay?: WeightDecay;
  /** Updates from one estimate of the curvature to the next. Default 10. */
  readonly every?: number;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Sophia-H: the mean gradient over an estimate of the Hessian's diagonal (Hutchinson's), clipped element by element. At step
 * t = 0, 1, ...:
 *
 * ```text
 * m = beta1 m + (1 - beta1) g
 * h = beta2 h + (1 - beta2) u (H u), u normal        (every `every`-th step, the first included)
 * p = p - lr weightDecay p - lr clip(m / max(gamma h, eps), -1, 1)
 * ```
 *
 * It needs `key` and `hvp` in the context: `fit` gives both. Steps are of two kinds, `curvature` and `step`: a step that is
 * compiled with `rule.variant(state)` as an argument, passed on as `context.variant`, computes Hessian products in the
 * first kind alone; without it, in each.
 *
 * @throws `invalid-argument` for a negative `lr` or `weightDecay`, a `gamma` or `eps` that is not above 0, betas outside of
 * [0, 1), and an empty parameter tree; `update` throws `tree-mismatch` or `shape-mismatch`, and `invalid-argument` for a
 * context without `hvp` or `key`.
 *
 * Source: Liu et al., "Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training", 2023.
 *
 * @example
 * ```ts
 * import { applyUpdates, sophia } from "@gradus/optimizers";
 * import { key, tensor } from "@gradus/tensor";
 * const rule = sophia({ lr: 0.1, weightDecay: 0 });
 * const params = { w: tensor([1, -1]) };
 * const hvp = (v: typeof params) => ({ w: v.w.mul(3) }); // of 3/2 the sum of squares
 * const grads = { w: params.w.mul(3) };
 * const { updates } = rule.update(grads, rule.init(params), { params, key: key(0), hvp });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0.9, -0.9]
 * ```
 */
export function sophia(options: SophiaOptions = {}): Rule {
  const { lr = 1e-4, beta1 = 0.96, beta2 = 0.99, gamma = 0.01, eps = 1e-12, every = 10 } = options;
  const { weightDecay = 0.1, maximize = false } = options;
  checkDecay("sophia", { beta1, beta2 });
  checkPositive("sophia", { gamma, eps });
  checkCount("sophia", "every", every);
  const isCurvature = (t: number): boolean => t % every === 0;

  return leafRule({
    name: "sophia",
    lr,
    weightDecay,
    decay: "parameter",
    maximize,
    slots: { firstMoment: zeros, curvature: zeros },
    variant: (t) => (isCurvature(t) ? "curvature" : "step"),

    along: (_, context, phase) => (phase === "step" ? undefined : hutchinson(context)),

    at(step, { phase }) {
      const down = step.map((t) => -scheduleAt(lr, t));
      const flag = step.map((t) => (isCurvature(t) ? 1 : 0));
      return (g, _, slots, { along }) => {
        const firstMoment = movingAverage(slots.firstMoment, g, beta1);
        const estimate = along === undefined || !maximize ? along : along.neg();
        const fresh = estimate && movingAverage(slots.curvature, estimate, beta2);
        const chosen = phase === undefined ? fresh && flagOf(flag, g).where(fresh, slots.curvature) : fresh;
        const curvature = chosen ?? slots.curvature;
        const ratio = firstMoment.div(curvature.mul(gamma).maximum(eps)).clamp(-1, 1);
        return [ratio.mul(down), { firstMoment, curvature }];
      };
    },

    hyper: () => ({ beta1, beta2, gamma, eps, every }),
  });
}

/** `u (H u)`, whose expectation over normal u is the Hessian's diagonal. */
function hutchinson<P>({ params, hvp, key }: RuleContext<P>): P {
  if (hvp === undefined || key === undefined) {
    const missing = hvp === undefined ? "hvp: (vector) => the Hessian at params times it" : "key";
    return fail(
      "invalid-argument",
      `sophia: the context has no ${missing.split(":")[0]}. Pass ${missing} to update()`,
    );
  }
  let leaf = 0;
  const u = mapTreeWithPath(params, (_, p) =>
    key.foldIn(leaf++).normal(p.shape, { dtype: p.dtype, device: p.device }),
  );
  return mapTreeWithPath(u, (_, a, b) => a.mul(b as typeof a), hvp(u));
}
