import { describeRule } from "./describe-rule.fixture.js";
import { type AdadeltaOptions, adadelta } from "./index.js";

describeRule("adadelta", {
  make: (options: AdadeltaOptions & { lr?: number; weightDecay?: number }) => adadelta(options),
  reference:
    ({ lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 }) =>
    (start, gradients) => {
      let p = start;
      let [v, u] = [0, 0];
      return gradients.map((raw) => {
        const g = raw + weightDecay * p;
        v = rho * v + (1 - rho) * g * g;
        const d = (Math.sqrt(u + eps) / Math.sqrt(v + eps)) * g;
        u = rho * u + (1 - rho) * d * d;
        p -= lr * d;
        return p;
      });
    },
  options: [{}, { lr: 0.5, rho: 0.5, eps: 0.01 }, { weightDecay: 0.1 }],
  slots: ["secondMoment", "squaredSteps"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ rho: 1.5 }, "rho must be in [0, 1], got 1.5"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
  ],
});
