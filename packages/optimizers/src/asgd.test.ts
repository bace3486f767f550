import { tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { describeRule } from "./describe-rule.fixture.js";
import { type AsgdOptions, applyUpdates, asgd } from "./index.js";

describeRule("asgd", {
  make: (options: AsgdOptions & { lr?: number; weightDecay?: number }) => asgd(options),
  reference:
    ({ lr = 0.01, lambda = 1e-4, alpha = 0.75, weightDecay = 0 }) =>
    (start, gradients) => {
      let p = start;
      let eta = lr;
      return gradients.map((raw, i) => {
        const g = raw + weightDecay * p;
        p = p * (1 - lambda * eta) - eta * g;
        eta = lr / (1 + lambda * lr * (i + 1)) ** alpha;
        return p;
      });
    },
  options: [{}, { lr: 0.1, lambda: 0.1, alpha: 0.5, averageFrom: 2 }, { weightDecay: 0.1 }],
  slots: ["average"],
  refused: [
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ lambda: -1 }, "lambda must be a number of at least 0, got -1"],
    [{ averageFrom: -1 }, "averageFrom must be a number of at least 0, got -1"],
  ],
});

it("averages the parameters from a step on, for evaluation", () => {
  const rule = asgd({ lr: 1, lambda: 0, averageFrom: 1 });
  let params = { w: tensor(0) };
  let state = rule.init(params);
  const averages = [-1, -2, -3, -4].map(() => {
    const next = rule.update({ w: tensor(1) }, state, { params });
    params = applyUpdates(params, next.updates);
    state = next.state;
    return rule.evalParams?.(params, state).w.item();
  });
  // PyTorch's weights are 1, 1, 1, 1/2: the mean begins anew until step averageFrom + 2.
  expect(averages).toEqual([-1, -2, -3, -3.5]);
});
