import { describeRule } from "./describe-rule.fixture.js";
import { type RadamOptions, radam } from "./index.js";

describeRule("radam", {
  make: (options: RadamOptions & { lr?: number; weightDecay?: number }) => radam(options),
  reference:
    ({ lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, decoupledDecay = false }) =>
    (start, gradients) => {
      let p = start;
      let [m, v] = [0, 0];
      const long = 2 / (1 - beta2) - 1;
      return gradients.map((raw, i) => {
        const t = i + 1;
        const g = decoupledDecay ? raw : raw + weightDecay * p;
        if (decoupledDecay) p *= 1 - lr * weightDecay;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        const rho = long - (2 * t * beta2 ** t) / (1 - beta2 ** t);
        const r = Math.sqrt(((rho - 4) * (rho - 2) * long) / ((long - 4) * (long - 2) * rho));
        const a = rho > 5 ? (r * Math.sqrt(1 - beta2 ** t)) / (Math.sqrt(v) + eps) : 1;
        p -= (lr * a * m) / (1 - beta1 ** t);
        return p;
      });
    },
  options: [
    {},
    { lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 0.1 },
    { lr: 0.05, weightDecay: 0.1 },
    { lr: 0.05, weightDecay: 0.1, decoupledDecay: true },
    { lr: 0.1, beta2: 0.5 },
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
