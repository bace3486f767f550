import { crossEntropy } from "@gradus/losses";
import { linear, relu, sequential } from "@gradus/nn";
import { sgd } from "@gradus/optimizers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { nextTurn } from "./event-loop.js";
import { fit } from "./index.js";

afterEach(() => vi.unstubAllGlobals());

describe("nextTurn", () => {
  it.each([
    ["setImmediate", {}],
    ["MessageChannel", { setImmediate: undefined }],
    ["setTimeout", { setImmediate: undefined, MessageChannel: undefined }],
  ])("lets timers run, by %s", async (_, without) => {
    for (const [name, value] of Object.entries(without)) vi.stubGlobal(name, value);
    let ran = false;
    setTimeout(() => {
      ran = true;
    }, 0);
    const until = performance.now() + 5000;
    while (!ran && performance.now() < until) await nextTurn();
    expect(ran).toBe(true);
  });
});

describe("while fit trains", () => {
  const model = sequential(linear(2, 64), relu(), linear(64, 3));
  const train = blobs(200);
  const options = { loss: crossEntropy, optimizer: sgd({ lr: 0.1 }), train, batchSize: 8, progress: false };

  it("intervals keep ticking", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    // As many epochs as it takes for a few ticks, so that a fast machine does not finish before them.
    const stop = { name: "stop", onEpochEnd: ({ stop }: { stop: () => void }) => void (ticks > 2 && stop()) };
    const run = await fit(model, { ...options, epochs: 10_000, callbacks: [stop] });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
    expect(run.stopped).toBe("early-stopping");
  });

  it("an abort from outside ends it after the current step, and nothing is lost", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const run = await fit(model, { ...options, epochs: 10_000, signal: controller.signal });
    expect(run.stopped).toBe("aborted");
    expect(run.step).toBeGreaterThan(0);
    expect(run.predict(train.x).shape).toEqual([200, 3]);
    const resumed = await fit(model, { ...options, epochs: run.epoch + 1, resume: await run.toBytes() });
    expect(resumed).toMatchObject({ stopped: "finished", epoch: run.epoch + 1 });
  });

  it("a signal that is aborted before stops it before the first step", async () => {
    const run = await fit(model, { ...options, epochs: 2, signal: AbortSignal.abort() });
    expect(run).toMatchObject({ stopped: "aborted", step: 0, epoch: 0 });
  });
});
