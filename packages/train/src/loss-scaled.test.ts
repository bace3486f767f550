import { crossEntropy } from "@gradus/losses";
import { linear, relu, sequential } from "@gradus/nn";
import { adam, lossScaled } from "@gradus/optimizers";
import { expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { fit } from "./index.js";

const model = sequential(linear(2, 8), relu(), linear(8, 3));
const options = {
  loss: crossEntropy,
  optimizer: adam({ lr: 0.02 }),
  train: blobs(48),
  epochs: 3,
  batchSize: 16,
  progress: false,
} as const;

it("fit multiplies the loss for a rule that divides it out: by powers of two nothing changes", async () => {
  const plain = await fit(model, options);
  const scaled = await fit(model, { ...options, optimizer: lossScaled(options.optimizer, { interval: 2 }) });
  expect(scaled.history).toEqual(plain.history);
});

it("steps whose scaled gradients overflow are left out while the scale shrinks, and the run goes on from its file", async () => {
  // f32 overflows at 2^128: the first scales are too large.
  const optimizer = () => lossScaled(options.optimizer, { initial: 2 ** 127, backoff: 2 ** -20 });
  const whole = await fit(model, { ...options, optimizer: optimizer() });
  expect(whole.stopped).toBe("finished");
  expect(whole.history.at(-1)?.train.loss).toBeLessThan(whole.history[0]?.train.loss as number);
  const first = await fit(model, { ...options, optimizer: optimizer(), epochs: 1 });
  const second = await fit(model, { ...options, optimizer: optimizer(), resume: await first.toBytes() });
  expect(await second.toBytes()).toEqual(await whole.toBytes());
});
