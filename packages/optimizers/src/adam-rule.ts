import { mapTree, type Rule, type RuleState, scalar, type Tensor } from "@gradus/core";
import type { AdamOptions } from "./adam.js";
import { checkDecay, checkNonNegative, checkSchedule } from "./check-options.js";
import { checkParams, checkUpdate } from "./check-trees.js";
import { scheduleAt } from "./schedule-at.js";

/** Adam and AdamW, which differ in where the weight decay goes: `decoupled` from the gradient, or into it. */
export function adamRule(
  name: string,
  options: AdamOptions,
  { decoupled, weightDecay }: { readonly decoupled: boolean; readonly weightDecay: number },
): Rule {
  const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options;
  const { amsgrad = false, maximize = false } = options;
  checkSchedule(name, "lr", lr);
  checkDecay(name, "beta1", beta1);
  checkDecay(name, "beta2", beta2);
  checkNonNegative(name, "eps", eps);
  checkNonNegative(name, "weightDecay", weightDecay);
  const slotNames = [
    "firstMoment",
    "secondMoment",
    ...(amsgrad ? (["maxSecondMoment"] as const) : []),
  ] as const;

  return {
    name,

    init(params) {
      checkParams(name, params);
      const zeros = () => mapTree(params, (p) => p.zerosLike());
      return { step: scalar(0), slots: Object.fromEntries(slotNames.map((slot) => [slot, zeros()])) };
    },

    update<P>(grads: P, state: RuleState<P>, context: { readonly params: P }) {
      const slots = checkUpdate(name, grads, state, context, slotNames);
      let gradients = maximize ? mapTree(grads, (g) => g.neg()) : grads;
      if (weightDecay !== 0 && !decoupled) {
        gradients = mapTree(gradients, (g, p) => g.add(p.mul(weightDecay)), context.params);
      }
      const average = (beta: number, old: Tensor, value: Tensor): Tensor =>
        old.mul(beta).add(value.mul(1 - beta));
      const firstMoment = mapTree(gradients, (g, m) => average(beta1, m, g), slots.firstMoment);
      const secondMoment = mapTree(gradients, (g, v) => average(beta2, v, g.square()), slots.secondMoment);
      const maxSecondMoment = amsgrad
        ? mapTree(secondMoment, (v, greatest) => v.maximum(greatest), slots.maxSecondMoment)
        : undefined;

      // lr m / (1 - beta1^t) / (sqrt(v) / root + eps), root^2 = 1 - beta2^t; root moves to the host's factors.
      const root = (t: number): number => Math.sqrt(1 - beta2 ** (t + 1));
      const rate = state.step.map((t) => (-scheduleAt(lr, t) * root(t)) / (1 - beta1 ** (t + 1)));
      const epsilon = state.step.map((t) => eps * root(t));
      let updates = mapTree(
        firstMoment,
        (m, v) => m.mul(rate).div(v.sqrt().add(epsilon)),
        maxSecondMoment ?? secondMoment,
      );
      if (weightDecay !== 0 && decoupled) {
        const shrink = state.step.map((t) => -scheduleAt(lr, t) * weightDecay);
        updates = mapTree(updates, (u, p) => u.add(p.mul(shrink)), context.params);
      }
      return {
        updates,
        state: {
          step: state.step.map((t) => t + 1),
          slots: { firstMoment, secondMoment, ...(maxSecondMoment !== undefined && { maxSecondMoment }) },
        },
      };
    },

    hyper: ({ step }) => ({ lr: scheduleAt(lr, step.value), beta1, beta2, eps, weightDecay }),
  };
}
