import type { Rule } from "@gradus/core";
import type { AdamOptions } from "./adam.js";
import { adamFactors } from "./adam-factors.js";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { scheduleAt } from "./schedule-at.js";
import { scheduled } from "./scheduled.js";
import type { WeightDecay } from "./weight-decay.js";

/** Adam and AdamW, which differ in where the weight decay goes: into the gradient, or off the parameter. */
export function adamRule(
  name: string,
  options: AdamOptions,
  { decay, weightDecay }: { readonly decay: "gradient" | "parameter"; readonly weightDecay: WeightDecay },
): Rule {
  const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, amsgrad = false, maximize } = options;
  if (typeof beta1 !== "function") checkDecay(name, { beta1 });
  checkDecay(name, { beta2 });
  checkNonNegative(name, { eps });

  return leafRule({
    name,
    lr,
    weightDecay,
    decay,
    maximize,
    slots: { firstMoment: zeros, secondMoment: zeros, ...(amsgrad && { maxSecondMoment: zeros }) },

    at(step) {
      const beta = scheduled(beta1, step);
      const { rate, epsilon } = adamFactors(step, { lr, beta1, beta2, eps });
      return (g, _, { firstMoment, secondMoment, maxSecondMoment }) => {
        const m = movingAverage(firstMoment, g, beta);
        const v = movingAverage(secondMoment, g.square(), beta2);
        const greatest = maxSecondMoment === undefined ? v : v.maximum(maxSecondMoment);
        const update = m.mul(rate).div(greatest.sqrt().add(epsilon));
        return [update, { firstMoment: m, secondMoment: v, maxSecondMoment: greatest }];
      };
    },

    hyper: (t) => ({ beta1: scheduleAt(beta1, t), beta2, eps }),
  });
}
