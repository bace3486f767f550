import { mapTree, type Rule, type RuleState } from "@gradus/core";
import { accuracy, crossEntropy } from "@gradus/losses";
import { batchNorm, dropout, linear, relu, sequential } from "@gradus/nn";
import { adam, adamw, cosine, sgd } from "@gradus/optimizers";
import { describe, expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { type Callback, earlyStopping, type FitOptions, fit } from "./index.js";

const model = sequential(linear(2, 8), batchNorm(8, { momentum: null }), relu(), dropout(0.2), linear(8, 3));
const options = {
  loss: crossEntropy,
  optimizer: adamw({ lr: cosine({ from: 0.02, steps: 24 }) }),
  train: blobs(50),
  validation: blobs(20, 100),
  epochs: 6,
  batchSize: 16,
  seed: 3,
  metrics: { accuracy },
  progress: false,
} as const;

/** Aborts after so many steps in all. */
function abortAfter(steps: number): {
  readonly signal: AbortSignal;
  readonly callbacks: readonly Callback[];
} {
  const controller = new AbortController();
  const onStepEnd: Callback["onStepEnd"] = ({ run }) => {
    if (run.step === steps) controller.abort();
  };
  return { signal: controller.signal, callbacks: [{ name: "abort", onStepEnd }] };
}

describe("a resumed run equals an unbroken one, bit for bit", () => {
  const unbroken = fit(model, options).then((run) => run.toBytes());

  it.each([1, 3, 4, 9, 11, 24])("aborted after step %i of 24", async (steps) => {
    const first = await fit(model, { ...options, ...abortAfter(steps) });
    // After the last step of an epoch, the epoch still lacks its validation.
    expect(first).toMatchObject({ step: steps, epoch: Math.floor((steps - 1) / 4), stopped: "aborted" });
    const second = await fit(model, { ...options, resume: await first.toBytes() });
    expect(second).toMatchObject({ step: 24, epoch: 6, stopped: "finished" });
    expect(await second.toBytes()).toEqual(await unbroken);
  });

  it("aborted and resumed at every step", async () => {
    let bytes = await (await fit(model, { ...options, ...abortAfter(1) })).toBytes();
    for (let steps = 2; steps <= 24; steps++) {
      bytes = await (await fit(model, { ...options, ...abortAfter(steps), resume: bytes })).toBytes();
    }
    expect(await (await fit(model, { ...options, resume: bytes })).toBytes()).toEqual(await unbroken);
  });

  it("given more epochs than at first", async () => {
    const first = await fit(model, { ...options, epochs: 2 });
    const second = await fit(model, { ...options, resume: await first.toBytes() });
    expect(await second.toBytes()).toEqual(await unbroken);
  });

  it("with early stopping's counters and its best epoch", async () => {
    // A rate so high that the validation loss goes up and down.
    const rough = { ...options, optimizer: sgd({ lr: 3 }), epochs: 40 };
    const stopping = () => earlyStopping({ patience: 4 });
    const whole = await fit(model, { ...rough, callbacks: [stopping()] });
    expect(whole.stopped).toBe("early-stopping");
    const best = whole.bestEpoch as number;
    expect(best).toBeLessThan(whole.epoch);
    for (const steps of [4 * best + 1, 4 * best + 6]) {
      const { signal, callbacks } = abortAfter(steps);
      const first = await fit(model, { ...rough, signal, callbacks: [...callbacks, stopping()] });
      expect(first.stopped).toBe("aborted");
      const second = await fit(model, { ...rough, callbacks: [stopping()], resume: await first.toBytes() });
      expect(second.stopped).toBe("early-stopping");
      expect(await second.toBytes()).toEqual(await whole.toBytes());
    }
    const again = await fit(model, { ...rough, callbacks: [stopping()], resume: await whole.toBytes() });
    expect(await again.toBytes()).toEqual(await whole.toBytes());
  });

  it("saved while it goes on", async () => {
    let bytes: Promise<Uint8Array> | undefined;
    const save: Callback = {
      name: "save",
      // Not awaited: the training goes on and donates the tensors that are being read.
      onStepEnd: ({ run }) => {
        if (run.step === 6) bytes = run.toBytes();
      },
    };
    await fit(model, { ...options, callbacks: [save] });
    const second = await fit(model, { ...options, resume: (await bytes) as Uint8Array });
    expect(await second.toBytes()).toEqual(await unbroken);
  });

  it("with a rule that evaluates with other parameters and has states within states", async () => {
    const inner = adam({ lr: 0.05 });
    const averaging: Rule = {
      name: "averaging",
      init: (params) => {
        const slots = { average: mapTree(params, (p) => p.mul(1)) };
        return { step: inner.init(params).step, slots, inner: { adam: inner.init(params) } };
      },
      update: <P>(grads: P, state: RuleState<P>, context: { readonly params: P }) => {
        const next = inner.update(grads, state.inner?.adam as RuleState<P>, context);
        const average = mapTree(
          state.slots.average as P,
          (a, p) => a.mul(0.9).add(p.mul(0.1)),
          context.params,
        );
        const step = state.step.map((t) => t + 1);
        return { updates: next.updates, state: { step, slots: { average }, inner: { adam: next.state } } };
      },
      evalParams: (_, state) => state.slots.average as never,
    };
    const changed = { ...options, optimizer: averaging };
    const whole = await fit(model, changed);
    const first = await fit(model, { ...changed, ...abortAfter(10) });
    const second = await fit(model, { ...changed, resume: await first.toBytes() });
    expect(await second.toBytes()).toEqual(await whole.toBytes());
  });
});

describe("a file is not resumed", () => {
  const saved = fit(model, { ...options, ...abortAfter(6) }).then((run) => run.toBytes());
  const resume = async (changes: object, other: Parameters<typeof fit>[0] = model) =>
    fit(other, { ...options, resume: await saved, ...changes } as FitOptions);

  it.each([
    [
      "another layer size",
      [linear(2, 9), relu(), linear(9, 3)],
      /params\.0\.weight is f32\[8, 2\], expected f32\[9, 2\]/,
    ],
    [
      "another number of layers",
      [linear(2, 8)],
      /fit: resume: there is params\.1\.bias, which has no place here/,
    ],
    [
      "a layer more",
      [...[linear(2, 8), batchNorm(8, { momentum: null }), relu(), dropout(0.2), linear(8, 3)], linear(3, 3)],
      /there is no tensor params\.5\.weight/,
    ],
    [
      "another state",
      [linear(2, 8), batchNorm(8), relu(), dropout(0.2), linear(8, 3)],
      /there is state\.1\.count/,
    ],
  ])("with %s", async (_, layers, message) => {
    await expect(resume({}, sequential(...layers))).rejects.toMatchObject({
      code: "tree-mismatch",
      message: expect.stringMatching(message),
    });
  });

  it("with another activation, which has no parameters to tell", async () => {
    const other = sequential(
      linear(2, 8),
      batchNorm(8, { momentum: null }),
      dropout(0.2),
      relu(),
      linear(8, 3),
    );
    await expect(resume({}, other)).rejects.toMatchObject({ code: "tree-mismatch" });
  });

  it.each([
    ["another optimizer", { optimizer: adam() }, "tree-mismatch", "the file's optimizer is adamw, not adam"],
    [
      "other slots",
      { optimizer: adamw({ amsgrad: true }) },
      "tree-mismatch",
      "optimizer.slots.maxSecondMoment.0.weight",
    ],
    ["another seed", { seed: 4 }, "invalid-argument", "seed 3, not 4"],
    ["another batch size", { batchSize: 17 }, "invalid-argument", "batchSize 16, not 17"],
    ["another dropLast", { dropLast: true }, "invalid-argument", "dropLast false, not true"],
    [
      "other data",
      { train: blobs(51) },
      "invalid-argument",
      "train had 50 rows of x f32[2] and y i32[], now 51",
    ],
    ["other metrics within an epoch", { metrics: {} }, "invalid-argument", "the metrics accuracy, not none"],
    [
      "no bytes",
      { resume: new Uint8Array(3) },
      "corrupt-file",
      "fit: resume: this is not a valid safetensors file",
    ],
  ])("with %s", async (_, changes, code, message) => {
    await expect(resume(changes)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("when it is cut off anywhere", async () => {
    const bytes = await saved;
    for (let length = 0; length < bytes.length; length += 97) {
      await expect(resume({ resume: bytes.subarray(0, length) })).rejects.toMatchObject({
        code: "corrupt-file",
      });
    }
  });
});
