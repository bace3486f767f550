import type { Rule } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { linear, sequential, tanh } from "@gradus/nn";
import { accumulate, adam, chain, gradientNoise, sam, sgd, shampoo, sophia } from "@gradus/optimizers";
import { describe, expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { fit } from "./index.js";

const model = sequential(linear(2, 8), tanh(), linear(8, 3));
const train = blobs(48);
const lossOf = async (optimizer: Rule): Promise<number> => {
  const run = await fit(model, {
    loss: crossEntropy,
    optimizer,
    train,
    epochs: 6,
    batchSize: 16,
    progress: false,
  });
  return run.history.at(-1)?.train.loss as number;
};

describe("fit gives a rule what it asks for", () => {
  it.each<[string, Rule]>([
    ["Hessian products, in the steps that renew the curvature", sophia({ lr: 0.05, gamma: 1, every: 4 })],
    ["the gradient elsewhere", sam(sgd({ lr: 0.5 }))],
    ["keys", chain(gradientNoise(), adam({ lr: 0.05 }))],
    ["its variants", shampoo({ lr: 0.2, every: 4 })],
    [
      "its variants, and those of the rule within",
      accumulate(sophia({ lr: 0.1, gamma: 1, every: 2 }), { every: 2 }),
    ],
  ])("%s", async (_, rule) => {
    expect(await lossOf(rule)).toBeLessThan(1);
  });

  it("does what it does without variants", async () => {
    const rule = sophia({ lr: 0.05, gamma: 1, every: 4 });
    const { variant: _, ...untold } = rule;
    expect(await lossOf(rule)).toBeCloseTo(await lossOf(untold), 4);
  });
});
