import { describeRule } from "./describe-rule.fixture.js";
import { type NadamOptions, nadam } from "./index.js";

describeRule("nadam", {
  make: (options: NadamOptions & { lr?: number; weightDecay?: number }) => nadam(options),
  reference:
    ({
      lr = 2e-3,
      beta1 = 0.9,
      beta2 = 0.999,
      eps = 1e-8,
      momentumDecay = 4e-3,
      weightDecay = 0,
      decoupledDecay = false,
    }) =>
    (start, gradients) => {
      let p = start;
      let [m, v, product] = [0, 0, 1];
      const mu = (t: number) => beta1 * (1 - 0.96 ** (t * momentumDecay) / 2);
      return gradients.map((raw, i) => {
        const t = i + 1;
        const g = decoupledDecay ? raw : raw + weightDecay * p;
        if (decoupledDecay) p *= 1 - lr * weightDecay;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        product *= mu(t);
        const n = (mu(t + 1) * m) / (1 - product * mu(t + 1)) + ((1 - mu(t)) * g) / (1 - product);
        p -= (lr * n) / (Math.sqrt(v / (1 - beta2 ** t)) + eps);
        return p;
      });
    },
  options: [
    {},
    { lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 0.1 },
    { lr: 0.05, weightDecay: 0.1, momentumDecay: 0.5 },
    { lr: 0.05, weightDecay: 0.1, decoupledDecay: true },
  ],
  slots: ["firstMoment", "secondMoment"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.1 }, "beta2 must be in [0, 1), got -0.1"],
    [{ weightDecay: -1 }, "weightDecay must be a number of at least 0, got -1"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
    [{ momentumDecay: -1 }, "momentumDecay must be a number of at least 0, got -1"],
  ],
});
