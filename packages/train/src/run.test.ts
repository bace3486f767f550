import { interpreter } from "@gradus/core";
import { accuracy, crossEntropy } from "@gradus/losses";
import { batchNorm, dropout, linear, relu, sequential } from "@gradus/nn";
import { adam } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { earlyStopping, fit, loadRun } from "./index.js";

const model = sequential(linear(2, 8), batchNorm(8), relu(), dropout(0.5), linear(8, 3));
const train = blobs(40);
const options = {
  loss: crossEntropy,
  optimizer: adam({ lr: 0.05 }),
  train,
  epochs: 2,
  metrics: { accuracy },
  progress: false,
};

describe("a run", () => {
  it("predicts in evaluation mode: always the same, in batches of any size", async () => {
    const run = await fit(model, options);
    const whole = run.predict(train.x);
    expect(whole.shape).toEqual([40, 3]);
    for (const batchSize of [1, 7, 40, 1000]) {
      expect(run.predict(train.x, { batchSize }).data()).toEqual(whole.data());
    }
    expect(run.predict(train.x.slice([0, 0])).shape).toEqual([0, 3]);
    expect(() => run.predict(train.x, { batchSize: 0 })).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
    expect(() => run.predict(tensor(1))).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });

  it("evaluates the same in batches of any size, up to rounding", async () => {
    const run = await fit(model, options);
    const whole = await run.evaluate(train);
    const parts = await run.evaluate(train, { batchSize: 7 });
    expect(parts.loss).toBeCloseTo(whole.loss, 6);
    expect(parts.accuracy).toBeCloseTo(whole.accuracy, 6);
    await expect(run.evaluate({ x: train.x, y: train.y.slice([0, 3]) })).rejects.toMatchObject({
      code: "shape-mismatch",
    });
  });

  it("is dead after dispose", async () => {
    const run = await fit(model, options);
    run.dispose();
    expect(() => run.predict(train.x)).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  it("can be saved, read, and used by callbacks while it trains", async () => {
    const seen: number[] = [];
    await fit(model, {
      ...options,
      callbacks: [
        {
          name: "look",
          async onEpochEnd({ run }) {
            const loaded = await loadRun(model, await run.toBytes());
            expect(loaded.predict(train.x).data()).toEqual(run.predict(train.x).data());
            seen.push((await run.evaluate(train)).loss);
          },
        },
      ],
    });
    expect(seen.length).toBe(2);
  });
});

describe("on a device whose memory must be given back", () => {
  const device = interpreter({ collected: false });
  const data = {
    x: tensor(train.x.data(), { shape: [40, 2], device }),
    y: tensor(train.y.data(), { device }),
  };

  it("holds memory flat, and returns all of it", async () => {
    const before = device.memory();
    const inUse: number[] = [];
    const note = { name: "note", onEpochEnd: () => void inUse.push(device.memory().buffers) };
    const all = { ...options, train: data, validation: data, epochs: 4 };
    const run = await fit(model, { ...all, callbacks: [note, earlyStopping()] });
    expect(new Set(inUse.slice(1)).size).toBe(1);
    run.predict(data.x).dispose();
    run.predict(data.x, { batchSize: 7 }).dispose();
    await run.evaluate(data);
    const loaded = await loadRun(model, await run.toBytes(), { device });
    const resumed = await fit(model, { ...all, epochs: 5, resume: await run.toBytes() });
    for (const one of [loaded, resumed, run]) one.dispose();
    expect(device.memory()).toEqual(before);
  });
});
