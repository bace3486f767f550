import { describeRule } from "./describe-rule.fixture.js";
import { type AdagradOptions, adagrad } from "./index.js";

describeRule("adagrad", {
  make: (options: AdagradOptions & { lr?: number; weightDecay?: number }) => adagrad(options),
  reference:
    ({ lr = 0.01, lrDecay = 0, initialAccumulator = 0, eps = 1e-10, weightDecay = 0, maximize = false }) =>
    (start, gradients) => {
      let p = start;
      let s = initialAccumulator;
      return gradients.map((raw, i) => {
        const g = (maximize ? -raw : raw) + weightDecay * p;
        s += g * g;
        p -= ((lr / (1 + i * lrDecay)) * g) / (Math.sqrt(s) + eps);
        return p;
      });
    },
  options: [
    {},
    { lr: 0.1, lrDecay: 0.5, initialAccumulator: 0.3 },
    { lr: 0.1, eps: 0.1, weightDecay: 0.1, maximize: true },
  ],
  slots: ["sumOfSquares"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ lrDecay: -1 }, "lrDecay must be a number of at least 0, got -1"],
    [{ initialAccumulator: -1 }, "initialAccumulator must be a number of at least 0, got -1"],
    [{ eps: -1 }, "eps must be a number of at least 0, got -1"],
  ],
});
