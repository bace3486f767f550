import { type Layer, mapTree, type Rule, scalar, type Tensor } from "@gradus/core";
import { accuracy, crossEntropy, mse } from "@gradus/losses";
import { batchNorm, dropout, linear, relu, sequential } from "@gradus/nn";
import { adam, sgd } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { type Callback, type FitOptions, fit } from "./index.js";

const train = blobs(50);
const model = sequential(linear(2, 8), batchNorm(8), relu(), dropout(0.1), linear(8, 3));
const common = { loss: crossEntropy, train, epochs: 2, batchSize: 16, progress: false } as const;
const adamOptions = { ...common, optimizer: adam({ lr: 0.02 }) };

describe("fit", () => {
  it("learns", async () => {
    const validation = blobs(60, 1000);
    const run = await fit(model, { ...adamOptions, validation, epochs: 30, metrics: { accuracy } });
    expect(run.stopped).toBe("finished");
    expect(run.epoch).toBe(30);
    expect(run.step).toBe(30 * 4);
    expect(run.history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    const { accuracy: reached, loss } = await run.evaluate(validation);
    expect(reached).toBeGreaterThan(0.8);
    expect({ loss, accuracy: reached }).toEqual(run.history.at(-1)?.validation);
    const labels = run.predict(validation.x).argmax(-1);
    expect(labels.eq(validation.y).cast("f32").mean().item()).toBeCloseTo(reached, 6);
  });

  it("keeps the types of parameters and metrics", async () => {
    const run = await fit(linear(2, 3), { ...adamOptions, metrics: { accuracy } });
    expectTypeOf(run.params.weight).toEqualTypeOf<Tensor>();
    expectTypeOf(run.history[0]?.train.accuracy).toEqualTypeOf<number | undefined>();
    const plain = await fit(linear(2, 3), adamOptions);
    // @ts-expect-error: no metrics were asked for
    expect(plain.history[0]?.train.accuracy).toBeUndefined();
    expect(Object.keys(plain.history[0]?.train ?? {})).toEqual(["loss"]);
  });

  it("does the same steps as a loop by hand", async () => {
    const data = { x: tensor([[1], [2], [3]]), y: tensor([[2], [4], [7]]) };
    const layer = linear(1, 1);
    const run = await fit(layer, {
      ...common,
      loss: mse,
      train: data,
      optimizer: sgd({ lr: 0.1 }),
      epochs: 3,
    });
    // One batch an epoch, so the order of its rows does not matter but for rounding.
    const start = await fit(layer, {
      ...common,
      loss: mse,
      train: data,
      optimizer: sgd({ lr: 0.1 }),
      epochs: 0,
    });
    let [w, b] = [start.params.weight.item(), start.params.bias.item()];
    for (let step = 0; step < 3; step++) {
      const errors = [1, 2, 3].map((x, i) => w * x + b - ([2, 4, 7][i] as number));
      w -= 0.1 * (2 / 3) * errors.reduce((sum, error, i) => sum + error * (i + 1), 0);
      b -= 0.1 * (2 / 3) * errors.reduce((sum, error) => sum + error, 0);
    }
    expect(run.params.weight.item()).toBeCloseTo(w, 4);
    expect(run.params.bias.item()).toBeCloseTo(b, 4);
  });

  it("gives the same bits for the same seed, and others for another", async () => {
    const bytes = async (seed: number) => (await fit(model, { ...adamOptions, seed })).toBytes();
    const [a, b, c] = [await bytes(1), await bytes(1), await bytes(2)];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it("visits each row once an epoch, in an order of its own", async () => {
    const seen: number[] = [];
    const rows = Array.from({ length: 10 }, (_, i) => [2 ** i]);
    const data = { x: tensor(rows), y: tensor(rows) };
    // Not trained (lr 0), so that the sums of the batches tell which rows they were.
    const sums = (_: Tensor, y: Tensor): Tensor => y.sum();
    const note: Callback = {
      name: "note",
      onStepEnd: ({ scores, step }) => {
        seen.push(Math.round((scores.sums as number) * Math.min(step * 4, 10)));
      },
    };
    const options = { ...common, train: data, loss: mse, batchSize: 4, metrics: { sums }, callbacks: [note] };
    await fit(linear(1, 1), { ...options, optimizer: sgd({ lr: 0 }) });
    // Means are weighted by rows: 4, 4 and 2 of them.
    const batches = [0, 3].map((first) => {
      const [a, b, c] = seen.slice(first, first + 3) as [number, number, number];
      return [a / 4, (b - a) / 4, (c - b) / 2];
    });
    for (const sizes of batches) expect(sizes.reduce((sum, one) => sum + one)).toBe(1023);
    expect(batches[0]).not.toEqual(batches[1]);
    const bits = (n: number): number => n.toString(2).replaceAll("0", "").length;
    expect(batches.flat().map(bits)).toEqual([4, 4, 2, 4, 4, 2]);
  });

  it("leaves a short last batch out if asked to", async () => {
    const run = await fit(model, { ...adamOptions, dropLast: true });
    expect(run.step).toBe(2 * 3);
  });

  it("evaluates with the rule's parameters for evaluation", async () => {
    const plain = sgd({ lr: 0.1 });
    const zeroed: Rule = { ...plain, evalParams: (params) => mapTree(params, (p) => p.mul(0)) };
    const run = await fit(linear(2, 3), { ...common, optimizer: zeroed, validation: train });
    expect(run.predict(train.x).abs().sum().item()).toBe(0);
    expect(run.params.weight.abs().sum().item()).toBeGreaterThan(0);
    expect(run.history[0]?.validation?.loss).toBeCloseTo(Math.log(3), 6);
    expect(run.history[0]?.train.loss).not.toBeCloseTo(Math.log(3), 3);
  });

  it("tells the rule each epoch's validation loss", async () => {
    const plain = sgd({ lr: 0.1 });
    const seen: number[] = [];
    const plateau: Rule = {
      ...plain,
      observe: (state, metric) => {
        seen.push(metric);
        return { ...state, scalars: { ...state.scalars, seen: scalar(metric) } };
      },
      init: (params) => ({ ...plain.init(params), scalars: { seen: scalar(0) } }),
      update: (grads, state, context) => {
        const next = plain.update(grads, state, context);
        return { ...next, state: { ...next.state, scalars: state.scalars ?? {} } };
      },
    };
    const run = await fit(linear(2, 3), { ...common, optimizer: plateau, validation: blobs(9) });
    expect(seen).toEqual(run.history.map((log) => log.validation?.loss));
    expect(run.optimizerState.scalars?.seen?.value).toBe(seen[1]);
  });

  it("leaves tensors of the caller alone: data, and parameters of a pretrained layer", async () => {
    const weight = tensor([[1, 2]]);
    const pretrained: Layer<{ weight: Tensor; same: Tensor }, null> = {
      name: "pretrained",
      init: () => ({ params: { weight, same: weight }, state: null }),
      apply: (params, state, x) => [x.matmul(params.weight.add(params.same).transpose()), state],
    };
    const data = { x: train.x, y: train.x.slice(null, [0, 1]) };
    const run = await fit(pretrained, { ...common, loss: mse, train: data, optimizer: sgd({ lr: 0.1 }) });
    expect(weight.toArray()).toEqual([[1, 2]]);
    expect(run.params.weight.toArray()).not.toEqual([[1, 2]]);
    expect(data.y.shape).toEqual([50, 1]);
    run.dispose();
    expect(weight.toArray()).toEqual([[1, 2]]);
    expect(train.x.sum().item()).toBeTypeOf("number");
  });

  it("returns what it started from after no epochs", async () => {
    const run = await fit(model, { ...adamOptions, epochs: 0 });
    expect(run).toMatchObject({ epoch: 0, step: 0, history: [], stopped: "finished" });
  });

  it("calls hooks in order, awaits them, and stops when told to", async () => {
    const calls: string[] = [];
    const callback: Callback = {
      name: "order",
      onTrainBegin: ({ epochs, steps }) => void calls.push(`begin ${epochs} ${steps}`),
      onEpochBegin: ({ epoch, step }) => void calls.push(`epoch ${epoch} ${step}`),
      onStepEnd: async ({ step, scores }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        calls.push(`step ${step} ${Number.isFinite(scores.loss)}`);
      },
      onEpochEnd: ({ epoch, run, stop }) => {
        calls.push(`end ${epoch} ${run.history.length}`);
        stop();
      },
      onTrainEnd: ({ run }) => void calls.push(`stopped: ${run.stopped}`),
    };
    await fit(model, { ...adamOptions, batchSize: 25, callbacks: [callback] });
    expect(calls).toEqual([
      "begin 2 2",
      "epoch 1 0",
      "step 1 true",
      "step 2 true",
      "end 1 1",
      "stopped: early-stopping",
    ]);
  });

  it("ends callbacks and throws on what a callback throws", async () => {
    const ended: unknown[] = [];
    const callback: Callback = {
      name: "bad",
      onEpochEnd: () => Promise.reject(new Error("no space")),
      onTrainEnd: ({ run }) => void ended.push(run.stopped),
    };
    await expect(fit(model, { ...adamOptions, callbacks: [callback] })).rejects.toThrow("no space");
    expect(ended).toEqual([undefined]);
  });
});

describe("fit rejects", () => {
  const { x, y } = train;
  const cases: [what: string, options: object, code: string, message: string][] = [
    [
      "a misspelt option",
      { batchsize: 3 },
      "invalid-argument",
      'unknown option "batchsize". There are loss, ',
    ],
    ["no loss", { loss: undefined }, "invalid-argument", "loss must be a function"],
    ["no optimizer", { optimizer: adam }, "invalid-argument", "optimizer must be a rule, such as adam({"],
    [
      "negative epochs",
      { epochs: -1 },
      "invalid-argument",
      "epochs must be a whole number of at least 0, got -1",
    ],
    ["a fraction of epochs", { epochs: 1.5 }, "invalid-argument", "epochs must be"],
    ["no epochs", { epochs: undefined }, "invalid-argument", "epochs must be"],
    [
      "an empty batch",
      { batchSize: 0 },
      "invalid-argument",
      "batchSize must be a whole number of at least 1",
    ],
    ["a seed that is none", { seed: 0.5 }, "invalid-argument", "seed must be a whole number, got 0.5"],
    [
      "a wrong policy",
      { onNonFinite: "ignore" },
      "invalid-argument",
      'onNonFinite must be "throw" or "skip"',
    ],
    [
      "a metric that is none",
      { metrics: { accuracy: 1 } },
      "invalid-argument",
      "metrics.accuracy must be a function",
    ],
    ["a metric called loss", { metrics: { loss: accuracy } }, "invalid-argument", "the name loss"],
    [
      "a callback that was not called",
      { callbacks: [fit] },
      "invalid-argument",
      "callbacks[0] must be an object",
    ],
    [
      "no data",
      { train: undefined },
      "invalid-argument",
      "fit: train must be { x, y } of tensors, and x is none",
    ],
    ["an array for y", { train: { x, y: [1] } }, "invalid-argument", "and y is none"],
    [
      "differing sizes",
      { train: { x, y: y.slice([0, 9]) } },
      "shape-mismatch",
      "must have as many rows (50 and 9)",
    ],
    [
      "an empty set",
      { train: { x: x.slice([0, 0]), y: y.slice([0, 0]) } },
      "invalid-argument",
      "fit: train is empty",
    ],
    ["a number for data", { train: { x: x.sum(), y } }, "shape-mismatch", "fit: train.x has no axes"],
    [
      "empty validation",
      { validation: { x: x.slice([0, 0]), y: y.slice([0, 0]) } },
      "invalid-argument",
      "validation is empty",
    ],
    ["nothing left", { dropLast: true, batchSize: 51 }, "invalid-argument", "dropLast leaves nothing"],
    ["a loss per row", { loss: (p: Tensor) => p.sum(1) }, "not-scalar", 'Leave its reduction at "mean"'],
    [
      "a metric per row",
      { metrics: { m: (p: Tensor) => p.sum(1) } },
      "not-scalar",
      "the metric m must be one number",
    ],
    [
      "inputs that do not fit",
      { train: { x: x.reshape([25, 4]), y: y.slice([0, 25]) } },
      "shape-mismatch",
      "linear(2, 3)",
    ],
    ["a resume that is none", { resume: 1 }, "invalid-argument", "resume must be a path or a Uint8Array"],
  ];
  it.each(cases)("%s", async (_, options, code, message) => {
    const all = { ...adamOptions, ...options } as FitOptions;
    const rejected = expect(fit(linear(2, 3), all)).rejects;
    await rejected.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("something that is no layer", async () => {
    await expect(fit(linear as unknown as Layer, adamOptions)).rejects.toThrow(
      "the first argument must be a layer",
    );
  });

  it("a class that does not exist, with the place in the training", async () => {
    const bad = { x: train.x, y: train.y.add(1) };
    await expect(fit(linear(2, 3), { ...adamOptions, train: bad })).rejects.toMatchObject({
      code: "index-out-of-range",
      message: expect.stringMatching(/^fit: epoch 1, step 1 of 4 \(step 1 in all\): /),
    });
  });
});
