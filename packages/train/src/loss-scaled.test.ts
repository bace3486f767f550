import { interpreter, tensorsOf } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { linear, relu, sequential } from "@gradus/nn";
import { adam, lossScaled } from "@gradus/optimizers";
import { describe, expect, it } from "vitest";
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

describe("mixed precision", () => {
  const optimizer = lossScaled(options.optimizer);

  it("multiplies in f16, keeps parameters in f32, and learns", async () => {
    const full = await fit(model, { ...options, optimizer });
    const mixed = await fit(model, { ...options, optimizer, precision: "mixed" });
    expect(mixed.history).not.toEqual(full.history);
    expect(tensorsOf(mixed.params).map((x) => x.dtype)).toEqual(["f32", "f32", "f32", "f32"]);
    const [a, b] = [full, mixed].map((run) => run.history.at(-1)?.train.loss as number) as [number, number];
    expect(Math.abs(a - b)).toBeLessThan(0.01);
  });

  it("goes on from its file, and not in another precision", async () => {
    const whole = await fit(model, { ...options, optimizer, precision: "mixed" });
    const first = await fit(model, { ...options, optimizer, precision: "mixed", epochs: 1 });
    const resume = await first.toBytes();
    const second = await fit(model, { ...options, optimizer, precision: "mixed", resume });
    expect(await second.toBytes()).toEqual(await whole.toBytes());
    await expect(fit(model, { ...options, optimizer, resume })).rejects.toThrow(
      "trained with precision mixed, not full",
    );
  });

  it("is refused without a loss scale, and on a device without f16", async () => {
    await expect(fit(model, { ...options, precision: "mixed" })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("lossScaled(adam())"),
    });
    await expect(fit(model, { ...options, precision: "half" as never })).rejects.toThrow(
      'precision must be "full" or "mixed"',
    );
    const device = { ...interpreter(), name: "old", caps: { ...interpreter().caps, dtypes: ["f32", "i32"] } };
    const train = { x: Object.create(options.train.x, { device: { value: device } }), y: options.train.y };
    await expect(fit(model, { ...options, optimizer, train, precision: "mixed" })).rejects.toMatchObject({
      code: "unsupported",
    });
  });
});
