import { describeRule } from "./describe-rule.fixture.js";
import { type RmspropOptions, rmsprop } from "./index.js";

describeRule("rmsprop", {
  make: (options: RmspropOptions & { lr?: number; weightDecay?: number }) => rmsprop(options),
  reference:
    ({ lr = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, centered = false, weightDecay = 0 }) =>
    (start, gradients) => {
      let p = start;
      let [v, a, b] = [0, 0, 0];
      return gradients.map((raw) => {
        const g = raw + weightDecay * p;
        v = alpha * v + (1 - alpha) * g * g;
        a = centered ? alpha * a + (1 - alpha) * g : 0;
        b = momentum * b + g / (Math.sqrt(v - a * a) + eps);
        p -= lr * b;
        return p;
      });
    },
  options: [
    { centered: true, momentum: 0.9 },
    {},
    { lr: 0.1, alpha: 0.9, eps: 0.1, weightDecay: 0.1 },
    { momentum: 0.5 },
    { centered: true },
  ],
  slots: ["secondMoment", "firstMoment", "velocity"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ alpha: 1 }, "alpha must be in [0, 1), got 1"],
    [{ momentum: -1 }, "momentum must be a number of at least 0, got -1"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
  ],
});
