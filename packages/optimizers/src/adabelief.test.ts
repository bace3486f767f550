import { describeRule } from "./describe-rule.fixture.js";
import { type AdabeliefOptions, adabelief } from "./index.js";

describeRule("adabelief", {
  make: (options: AdabeliefOptions & { lr?: number; weightDecay?: number }) => adabelief(options),
  reference:
    ({ lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-16, weightDecay = 0 }) =>
    (start, gradients) => {
      let p = start;
      let [m, s] = [0, 0];
      return gradients.map((raw, i) => {
        const t = i + 1;
        m = beta1 * m + (1 - beta1) * raw;
        s = beta2 * s + (1 - beta2) * (raw - m) ** 2 + eps;
        const step = m / (1 - beta1 ** t) / (Math.sqrt(s / (1 - beta2 ** t)) + eps);
        p -= lr * (step + weightDecay * p);
        return p;
      });
    },
  options: [{}, { lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 0.01 }, { lr: 0.05, weightDecay: 0.1 }],
  slots: ["firstMoment", "variance"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.1 }, "beta2 must be in [0, 1), got -0.1"],
    [{ weightDecay: -1 }, "weightDecay must be a number of at least 0, got -1"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
  ],
});
