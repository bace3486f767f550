import { describeRule } from "./describe-rule.fixture.js";
import { type LarsOptions, lars } from "./index.js";

describeRule("lars", {
  make: (options: LarsOptions & { lr: number; weightDecay?: number }) => lars(options),
  reference:
    ({ lr, momentum = 0.9, weightDecay = 0, trust = 1e-3 }) =>
    (start, gradients) => {
      let p = start;
      let v = 0;
      return gradients.map((raw) => {
        const norm = Math.abs(p);
        const size = Math.abs(raw) + weightDecay * norm;
        const ratio = norm * size * trust === 0 ? 1 : (trust * norm) / size;
        v = momentum * v + lr * ratio * (raw + weightDecay * p);
        p -= v;
        return p;
      });
    },
  options: [{ lr: 1 }, { lr: 0.1, momentum: 0, trust: 0.1 }, { lr: 0.5, weightDecay: 0.1 }],
  slots: ["velocity"],
  refused: [
    [{} as LarsOptions & { lr: number; weightDecay?: number }, "lr is missing: give a number or a schedule"],
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ lr: 1, momentum: -1 }, "momentum must be a number of at least 0, got -1"],
    [{ lr: 1, trust: -1 }, "trust must be a number of at least 0, got -1"],
  ],
});
