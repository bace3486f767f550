import { describeRule } from "./describe-rule.fixture.js";
import { type YogiOptions, yogi } from "./index.js";

describeRule("yogi", {
  make: (options: YogiOptions & { lr?: number; weightDecay?: number }) => yogi(options),
  reference:
    ({ lr = 0.01, beta1 = 0.9, beta2 = 0.999, eps = 1e-3, initialAccumulator = 1e-6, weightDecay = 0 }) =>
    (start, gradients) => {
      let p = start;
      let [m, v] = [0, initialAccumulator];
      return gradients.map((raw, i) => {
        const t = i + 1;
        const g = raw + weightDecay * p;
        m = beta1 * m + (1 - beta1) * g;
        v -= (1 - beta2) * Math.sign(v - g * g) * g * g;
        p -= (lr * m) / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + eps);
        return p;
      });
    },
  options: [
    {},
    { lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 0.1, initialAccumulator: 1 },
    { lr: 0.05, weightDecay: 0.1 },
  ],
  slots: ["firstMoment", "secondMoment"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.1 }, "beta2 must be in [0, 1), got -0.1"],
    [{ weightDecay: -1 }, "weightDecay must be a number of at least 0, got -1"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
  ],
});
