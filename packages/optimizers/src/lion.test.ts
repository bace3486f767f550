import { describeRule } from "./describe-rule.fixture.js";
import { type LionOptions, lion } from "./index.js";

describeRule("lion", {
  make: (options: LionOptions & { lr?: number; weightDecay?: number }) => lion(options),
  reference:
    ({ lr = 1e-4, beta1 = 0.9, beta2 = 0.99, weightDecay = 0, maximize = false }) =>
    (start, gradients) => {
      let p = start;
      let m = 0;
      return gradients.map((raw) => {
        const g = maximize ? -raw : raw;
        p -= lr * (Math.sign(beta1 * m + (1 - beta1) * g) + weightDecay * p);
        m = beta2 * m + (1 - beta2) * g;
        return p;
      });
    },
  options: [{}, { lr: 0.1, beta1: 0.5, beta2: 0.8, weightDecay: 0.5 }, { maximize: true }],
  slots: ["momentum"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ beta1: 1 }, "beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.1 }, "beta2 must be in [0, 1), got -0.1"],
    [{ weightDecay: -1 }, "weightDecay must be a number of at least 0, got -1"],
  ],
});
