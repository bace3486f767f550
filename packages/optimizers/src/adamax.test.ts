import { describeRule } from "./describe-rule.fixture.js";
import { type AdamaxOptions, adamax } from "./index.js";

describeRule("adamax", {
  make: (options: AdamaxOptions & { lr?: number; weightDecay?: number }) => adamax(options),
  reference:
    ({ lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 }) =>
    (start, gradients) => {
      let p = start;
      let [m, u] = [0, 0];
      return gradients.map((raw, i) => {
        const g = raw + weightDecay * p;
        m = beta1 * m + (1 - beta1) * g;
        u = Math.max(beta2 * u, Math.abs(g) + eps);
        p -= (lr * m) / (1 - beta1 ** (i + 1)) / u;
        return p;
      });
    },
  options: [{}, { lr: 0.1, beta1: 0.8, beta2: 0.5, eps: 0.1 }, { lr: 0.05, weightDecay: 0.1 }],
  slots: ["firstMoment", "greatest"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.1 }, "beta2 must be in [0, 1), got -0.1"],
    [{ weightDecay: -1 }, "weightDecay must be a number of at least 0, got -1"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
  ],
});
