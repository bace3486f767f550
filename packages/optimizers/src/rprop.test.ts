import { describeRule } from "./describe-rule.fixture.js";
import { type RpropOptions, rprop } from "./index.js";

describeRule("rprop", {
  make: (options: RpropOptions & { lr?: number; weightDecay?: number }) => rprop(options),
  reference:
    ({ lr = 0.01, shrink = 0.5, grow = 1.2, minStep = 1e-6, maxStep = 50, maximize = false }) =>
    (start, gradients) => {
      let p = start;
      let [last, s] = [0, lr];
      return gradients.map((raw) => {
        let g = maximize ? -raw : raw;
        if (g * last > 0) s *= grow;
        if (g * last < 0) s *= shrink;
        s = Math.min(Math.max(s, minStep), maxStep);
        if (g * last < 0) g = 0;
        last = g;
        p -= s * Math.sign(g);
        return p;
      });
    },
  options: [{}, { lr: 0.1, shrink: 0.3, grow: 2, minStep: 0.05, maxStep: 0.15 }, { maximize: true }],
  slots: ["previous", "stepSize"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ shrink: 1 }, "shrink must be in (0, 1) and grow above 1, got 1 and 1.2"],
    [{ grow: 1 }, "shrink must be in (0, 1) and grow above 1, got 0.5 and 1"],
    [{ minStep: 2, maxStep: 1 }, "maxStep must be at least minStep = 2, got 1"],
  ],
});
