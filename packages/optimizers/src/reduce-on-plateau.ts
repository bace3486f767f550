import {
  fail,
  mapTree,
  type Rule,
  type RuleContext,
  type RuleState,
  type Scalar,
  scalar,
} from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import { innerState } from "./inner-state.js";
import { wrapRule } from "./wrap-rule.js";

export interface ReduceOnPlateauOptions {
  /** Whether the metric should fall or rise. Default `min`. */
  readonly mode?: "min" | "max";
  /** What steps are multiplied by each time, in [0, 1). Default 0.1. */
  readonly factor?: number;
  /** How many observations in a row may be no better than the best one. Default 10. */
  readonly patience?: number;
  /** How much better counts as better. Default 1e-4. */
  readonly threshold?: number;
  /** Whether `threshold` is a share of the best metric or a difference. Default `relative`. */
  readonly thresholdMode?: "relative" | "absolute";
  /** Observations after a reduction that do not count. Default 0. */
  readonly cooldown?: number;
  /** The least scale; the greatest is 1, without reductions. Default 0. */
  readonly minScale?: number;
  /** A reduction that changes the scale by no more than this is left out. Default 1e-8. */
  readonly eps?: number;
}

/**
 * A rule whose steps become smaller when a metric no longer improves: its updates are multiplied by a scale, as if its
 * learning rate were. `observe` is told the metric (`fit` tells the validation loss after every epoch); after more than
 * `patience` observations in a row that are no better than the best, `scale = max(minScale, scale factor)`.
 *
 * @throws `invalid-argument` for a `factor` outside of [0, 1), negative numbers, and unknown modes; `update` throws as
 * the rule's own.
 *
 * Source: PyTorch's `ReduceLROnPlateau`, whose `min_lr` and `eps` are in learning rates instead of shares of it.
 *
 * @example
 * ```ts
 * import { reduceOnPlateau, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = reduceOnPlateau(sgd({ lr: 0.1 }), { factor: 0.5, patience: 1 });
 * let state = rule.init({ w: tensor([1, 2]) });
 * for (const loss of [1, 2, 2]) state = rule.observe?.(state, loss) ?? state;
 * rule.hyper?.(state).lr; // → 0.05
 * ```
 */
export function reduceOnPlateau(rule: Rule, options: ReduceOnPlateauOptions = {}): Rule {
  const what = "reduceOnPlateau";
  const { mode = "min", factor = 0.1, patience = 10, cooldown = 0, minScale = 0, eps = 1e-8 } = options;
  const { threshold = 1e-4, thresholdMode = "relative" } = options;
  if (!(factor >= 0 && factor < 1)) {
    fail("invalid-argument", `${what}: factor must be in [0, 1), got ${factor}`);
  }
  if (mode !== "min" && mode !== "max")
    fail("invalid-argument", `${what}: mode must be min or max, got ${mode}`);
  if (thresholdMode !== "relative" && thresholdMode !== "absolute") {
    fail("invalid-argument", `${what}: thresholdMode must be relative or absolute, got ${thresholdMode}`);
  }
  checkCount(what, "patience", patience, 0);
  checkCount(what, "cooldown", cooldown, 0);
  checkNonNegative(what, { threshold, minScale, eps });

  const wrapped = wrapRule(what, rule);
  const { name } = wrapped;
  const sign = mode === "min" ? -1 : 1;
  const isBetter = (metric: number, best: number): boolean => {
    const bar = thresholdMode === "relative" ? best * (1 + sign * threshold) : best + sign * threshold;
    return sign * metric > sign * (Number.isFinite(best) ? bar : best);
  };

  function observe<P>(state: RuleState<P>, metric: number): RuleState<P> {
    if (typeof metric !== "number") {
      fail(
        "invalid-argument",
        `reduceOnPlateau: observe takes the metric as a number, got ${String(metric)}`,
      );
    }
    const before = innerState(name, state);
    const { scale, best, bad, cooling } = plateauOf(state);
    const better = isBetter(metric, best.value);
    const counted = better || cooling.value > 0 ? 0 : bad.value + 1;
    const reduces = counted > patience;
    const reduced = Math.max(minScale, scale.value * factor);
    return {
      ...state,
      scalars: {
        scale: scalar(reduces && scale.value - reduced > eps ? reduced : scale.value),
        best: scalar(better ? metric : best.value),
        bad: scalar(reduces ? 0 : counted),
        cooling: scalar(reduces ? cooldown : Math.max(0, cooling.value - 1)),
      },
      inner: { rule: rule.observe?.(before, metric) ?? before },
    };
  }

  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      const scalars = {
        scale: scalar(1),
        best: scalar(-sign * Infinity),
        bad: scalar(0),
        cooling: scalar(0),
      };
      return { rule: name, step: inner.step, slots: {}, scalars, inner: { rule: inner } };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      const { scale } = plateauOf(state);
      const { updates, state: inner } = rule.update(grads, before, context);
      return {
        updates: mapTree(updates, (update) => update.mul(scale)),
        state: { ...state, step: state.step.map((t) => t + 1), inner: { rule: inner } },
      };
    },

    hyper: (state) => {
      const { scale } = plateauOf(state);
      const inner = wrapped.hyper?.(state) ?? {};
      const scaled = Object.entries(inner).map(([key, value]): [string, number] => [
        key,
        /(^|\.)lr$/.test(key) ? value * scale.value : value,
      ]);
      return { ...Object.fromEntries(scaled), scale: scale.value };
    },

    observe,
  };
}

interface Plateau {
  readonly scale: Scalar;
  readonly best: Scalar;
  readonly bad: Scalar;
  readonly cooling: Scalar;
}

function plateauOf<P>({ scalars = {} }: RuleState<P>): Plateau {
  const { scale, best, bad, cooling } = scalars;
  if (scale !== undefined && best !== undefined && bad !== undefined && cooling !== undefined) {
    return { scale, best, bad, cooling };
  }
  return fail(
    "tree-mismatch",
    "reduceOnPlateau: the state has no scale. It belongs to another rule: call init()",
  );
}
