import { mapTree, type Rule } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { batchNorm, linear, relu, sequential, tanh } from "@gradus/nn";
import { adam, sgd } from "@gradus/optimizers";
import { describe, expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { earlyStopping, fit, loadRun } from "./index.js";

const model = sequential(linear(2, 8), batchNorm(8), relu(), linear(8, 3));
const train = blobs(40);
const options = { loss: crossEntropy, optimizer: adam({ lr: 0.05 }), train, epochs: 3, progress: false };

describe("loadRun", () => {
  it("predicts what the run predicts", async () => {
    const run = await fit(model, options);
    const loaded = await loadRun(model, await run.toBytes());
    expect(loaded.predict(train.x).data()).toEqual(run.predict(train.x).data());
    expect(loaded.predict(train.x, { batchSize: 7 }).data()).toEqual(run.predict(train.x).data());
    expect(loaded.epoch).toBe(3);
    expect(loaded.history).toEqual(run.history);
    loaded.dispose();
    expect(() => loaded.predict(train.x)).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  it("takes the best epoch's parameters where they were restored, and the last ones to train on", async () => {
    const worse = { ...options, optimizer: sgd({ lr: 0.1, maximize: true }), validation: train, epochs: 9 };
    const run = await fit(model, { ...worse, callbacks: [earlyStopping({ patience: 2 })] });
    expect(run.bestEpoch).toBe(1);
    const loaded = await loadRun(model, await run.toBytes());
    expect(loaded.predict(train.x).data()).toEqual(run.predict(train.x).data());
    const first = await fit(model, { ...worse, epochs: 1 });
    expect(loaded.predict(train.x).data()).toEqual(first.predict(train.x).data());
  });

  it("takes the rule's parameters for evaluation", async () => {
    const plain = sgd({ lr: 0.1 });
    const halved: Rule = { ...plain, evalParams: (params) => mapTree(params, (p) => p.mul(0.5)) };
    const run = await fit(model, { ...options, optimizer: halved });
    const loaded = await loadRun(model, await run.toBytes());
    expect(loaded.predict(train.x).data()).toEqual(run.predict(train.x).data());
    expect(loaded.params[0].weight.data()).toEqual(run.params[0].weight.mul(0.5).data());
  });

  it("rejects another model, other bytes, and no bytes", async () => {
    const bytes = await (await fit(model, options)).toBytes();
    const other = sequential(linear(2, 8), batchNorm(8), tanh(), linear(8, 3));
    await expect(loadRun(other, bytes)).rejects.toMatchObject({ code: "tree-mismatch" });
    await expect(loadRun(linear(2, 8), bytes)).rejects.toMatchObject({
      code: "tree-mismatch",
      message: "loadRun: there is no tensor params.weight",
    });
    await expect(loadRun(model, bytes.subarray(9))).rejects.toMatchObject({ code: "corrupt-file" });
    await expect(loadRun(model, 1 as never)).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
