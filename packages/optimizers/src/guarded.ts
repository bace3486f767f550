import {
  fail,
  flattenTree,
  formatPath,
  isTensor,
  mapTree,
  type Path,
  type Rule,
  type RuleContext,
  type RuleState,
  type Shape,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { nonFiniteMend } from "./check-finite.js";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { wrapRule } from "./wrap-rule.js";

export interface GuardedOptions {
  /**
   * What a NaN or an infinity among the gradients does. `error`: throw, naming the parameter. `skip`: leave the update out.
   * `pass`: nothing special, as a rule does without a guard. Default `error`.
   */
  readonly nonFinite?: "error" | "skip" | "pass";
}

/**
 * A rule that watches its gradients for NaN and infinity. (Without it a rule passes them on, as PyTorch's optimizers do;
 * `fit` has a policy of its own, `onNonFinite`.)
 *
 * An update that is left out is one of zero; moments and averages stay as they were, on the device, without a look at it.
 * The step counts all the same, since schedules are the host's. `state.slots.nonFinite` counts, for each parameter, the
 * steps in which its gradient was not finite.
 *
 * Inside of `compile` nothing can be thrown in the middle of a step: with `error`, this update and all later ones are left
 * out, so that the last good parameters survive, until {@link checkFinite} throws.
 *
 * @throws `invalid-argument` for an unknown policy; `update` throws `non-finite`, naming the path, and as the rule's own.
 *
 * @example
 * ```ts
 * import { guarded, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const params = { w: tensor([1, 2]) };
 * const grads = { w: tensor([Number.NaN, 1]) };
 * const rule = guarded(sgd({ lr: 1 }), { nonFinite: "skip" });
 * const { updates, state } = rule.update(grads, rule.init(params), { params });
 * console.log(updates.w, state.slots.nonFinite?.w); // → Tensor f32[2] [0, 0] Tensor f32[] 1
 * ```
 */
export function guarded(rule: Rule, options: GuardedOptions = {}): Rule {
  const { nonFinite = "error" } = options;
  if (!["error", "skip", "pass"].includes(nonFinite)) {
    fail("invalid-argument", `guarded: nonFinite must be error, skip or pass, got ${String(nonFinite)}`);
  }
  const wrapped = wrapRule("guarded", rule);
  const { name } = wrapped;
  const none = (): Shape => [];
  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      const counts = mapTree(params, (p) => p.engine.full([], 0, { dtype: p.dtype, device: p.device }));
      return { rule: name, step: inner.step, slots: { nonFinite: counts }, inner: { rule: inner } };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      const slots = checkUpdate(name, grads, state, context, ["nonFinite"], { nonFinite: none });
      const known = tensorsOf(grads).every((g) => !g.traced && g.device.readSync !== undefined);
      if (nonFinite === "error" && known) failNonFinite(name, grads);

      const next = rule.update(grads, before, context);
      const bad = mapTree(grads, (g) => g.isFinite().all().logicalNot());
      const counts = mapTree(slots.nonFinite, (count, one) => count.add(one.cast(count.dtype)), bad);
      const step = state.step.map((t) => t + 1);
      if (nonFinite === "pass") {
        const inner = { rule: next.state };
        return { updates: next.updates, state: { ...state, step, slots: { nonFinite: counts }, inner } };
      }
      // `error` holds on to what was good until somebody looks.
      const reasons = nonFinite === "error" ? tensorsOf(counts).map((count) => count.gt(0)) : tensorsOf(bad);
      const sound = reasons.reduce((a, b) => a.logicalOr(b)).logicalNot();
      return {
        updates: mapTree(next.updates, (update) => sound.where(update, update.zerosLike())),
        state: {
          ...state,
          step,
          slots: { nonFinite: counts },
          inner: { rule: mapTree(next.state, (a, b) => sound.where(a, b as Tensor), before) },
        },
      };
    },
  };
}

function failNonFinite(rule: string, grads: unknown): void {
  const { leaves, paths } = flattenTree(grads);
  leaves.forEach((leaf, i) => {
    if (!isTensor(leaf) || leaf.isFinite().all().item() === 1) return;
    const value = Array.from(leaf.data()).find((one) => !Number.isFinite(one));
    fail(
      "non-finite",
      `${rule}: the gradient of ${formatPath(paths[i] as Path)} has a ${value}. ${nonFiniteMend}`,
    );
  });
}
