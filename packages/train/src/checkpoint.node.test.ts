import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crossEntropy } from "@gradus/losses";
import { linear } from "@gradus/nn";
import { adam, sgd } from "@gradus/optimizers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { checkpoint, earlyStopping, fit, loadRun } from "./index.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gradus-"));
});
afterEach(() => rm(folder, { recursive: true }));

const model = linear(2, 3);
const train = blobs(40);
const options = {
  loss: crossEntropy,
  optimizer: adam({ lr: 0.05 }),
  train,
  validation: train,
  epochs: 5,
  progress: false,
};

describe("run.save and resume", () => {
  it("go through a file", async () => {
    const path = join(folder, "run.gradus");
    const first = await fit(model, { ...options, epochs: 2 });
    await first.save(path);
    expect(new Uint8Array(await readFile(path))).toEqual(await first.toBytes());
    expect((await loadRun(model, path)).epoch).toBe(2);
    const second = await fit(model, { ...options, resume: path });
    expect(await second.toBytes()).toEqual(await (await fit(model, options)).toBytes());
  });

  it("say what is wrong with the path", async () => {
    const run = await fit(model, { ...options, epochs: 0 });
    await expect(run.save("")).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(run.save(join(folder, "none", "a"))).rejects.toMatchObject({ code: "invalid-argument" });
    const path = join(folder, "none");
    await expect(fit(model, { ...options, resume: path })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(`fit: resume: cannot read ${path}`),
    });
  });
});

describe("checkpoint", () => {
  it("writes every so many epochs, with the state of callbacks that come after it, and at the end", async () => {
    const path = join(folder, "run.gradus");
    const epochs: number[] = [];
    const look = {
      name: "look",
      async onEpochBegin() {
        if (await readdir(folder).then((files) => files.length > 0))
          epochs.push((await loadRun(model, path)).epoch);
      },
    };
    const callbacks = [checkpoint({ path, every: 2 }), look, earlyStopping()];
    const run = await fit(model, { ...options, callbacks });
    expect(epochs).toEqual([2, 2, 4]);
    expect(new Uint8Array(await readFile(path))).toEqual(await run.toBytes());
    expect(await readdir(folder)).toEqual(["run.gradus"]);
  });

  it("keeps the best in a file of its own", async () => {
    const [path, keepBest] = [join(folder, "last"), join(folder, "best")];
    const worse = { ...options, optimizer: sgd({ lr: 0.1, maximize: true }) };
    await fit(model, { ...worse, callbacks: [checkpoint({ path, keepBest })] });
    expect((await loadRun(model, path)).epoch).toBe(5);
    expect((await loadRun(model, keepBest)).epoch).toBe(1);
  });

  it("leaves what there is when the training is aborted or fails", async () => {
    const path = join(folder, "run.gradus");
    const controller = new AbortController();
    const abort = { name: "abort", onStepEnd: () => controller.abort() };
    await fit(model, { ...options, signal: controller.signal, callbacks: [abort, checkpoint({ path })] });
    const resumed = await fit(model, { ...options, resume: path });
    expect(await resumed.toBytes()).toEqual(await (await fit(model, options)).toBytes());

    const other = join(folder, "failed.gradus");
    const large = { x: train.x.mul(1e10), y: train.y };
    const broken = { ...options, train: large, optimizer: sgd({ lr: 1e38 }) };
    await expect(fit(model, { ...broken, callbacks: [checkpoint({ path: other })] })).rejects.toMatchObject({
      code: "non-finite",
    });
    expect((await loadRun(model, other)).predict(train.x).isFinite().all().item()).toBe(1);
  });

  it("rejects options that cannot work", () => {
    const code = "invalid-argument";
    expect(() => checkpoint({ path: "" })).toThrow(expect.objectContaining({ code }));
    expect(() => checkpoint({ path: "a", every: 0 })).toThrow(expect.objectContaining({ code }));
    expect(() => checkpoint({ path: "a", keepBest: "b", monitor: "accuracy" })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
