import { valueAndGrad } from "@gradus/autograd";
import type { Layer, Tensor } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from "@gradus/nn";
import { adam, applyUpdates } from "@gradus/optimizers";
import { compile, key, setDefaultDevice, tensor } from "@gradus/tensor";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Counts, countingGpu, difference, noCounts } from "./counting-gpu.fixture.js";
import { gpu } from "./gpu.js";
import type { GpuDevice } from "./gpu-backend.js";

// What a training step asks of the card: forward, softmax cross-entropy, backward, Adam, one compiled call; the next batch is
// sent before the loss of this one is read. Of jax-js (jit) an MLP's step is 39 dispatches in 40 submissions, of TensorFlow.js 90
// in 7, with 29 new buffers.

const counts = noCounts();
let device: GpuDevice;
beforeAll(async () => {
  device = await gpu({ gpu: countingGpu(counts) });
});
beforeEach(() => setDefaultDevice(device));
afterAll(() => device.dispose());

/** What a step costs once memory and shaders are there, and what it learns. */
async function costs(model: Layer, shape: readonly number[]): Promise<{ step: Counts; losses: number[] }> {
  const rule = adam({ lr: 1e-3 });
  const { params, state: layers } = model.init(key(0));
  let p = params;
  let s = rule.init(p);
  const step = compile(
    (p: typeof params, s: ReturnType<typeof rule.init>, x: Tensor, y: Tensor) => {
      const [loss, grads] = valueAndGrad((q: typeof params) =>
        crossEntropy(model.apply(q, layers, x, { train: true })[0] as Tensor, y),
      )(p);
      const { updates, state } = rule.update(grads, s, { params: p });
      return { p: applyUpdates(p, updates), s: state, loss };
    },
    { donate: [0, 1] },
  );
  const rows = shape[0] as number;
  const size = shape.reduce((a, b) => a * b, 1);
  const batch = () => ({
    x: tensor(
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898)),
      { shape },
    ),
    y: tensor(Int32Array.from({ length: rows }, (_, i) => (i * 7) % 10)),
  });
  let next = batch();
  let last = noCounts();
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) {
    // Contractions are timed when they have come often; from then on they may run in another layout.
    if (i === 17) await device.tuning();
    const before = { ...counts };
    const { x, y } = next;
    const result = step(p, s, x, y);
    ({ p, s } = result);
    const loss = result.loss.read();
    for (const done of [x, y, result.loss]) done.dispose();
    next = batch();
    losses.push((await loss)[0] as number);
    last = difference(before, counts);
  }
  step.dispose();
  return { step: last, losses };
}

it("a step of an MLP 784-128-10, 128 rows, is one submission of at most 16 dispatches and makes no buffer", async () => {
  const { step, losses } = await costs(sequential(linear(784, 128), relu(), linear(128, 10)), [128, 784]);
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  expect(step).toMatchObject({ submits: 1, buffers: 0, maps: 1 });
  expect(step.dispatches).toBeLessThanOrEqual(16);
  // The batch, its labels, and the few arguments that changed.
  expect(step.sent).toBeLessThan(4 * (128 * 784 + 128) + 16384);
  expect(step.fetched).toBeLessThanOrEqual(8);
});

it("a step of a convolutional network, 32 rows, is one submission of at most 30 dispatches and makes no buffer", async () => {
  const model = sequential(
    conv2d(1, 8, 3),
    relu(),
    maxPool2d(2),
    conv2d(8, 16, 3),
    relu(),
    maxPool2d(2),
    flatten(),
    linear(16 * 5 * 5, 10),
  );
  const { step, losses } = await costs(model, [32, 1, 28, 28]);
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  expect(step).toMatchObject({ submits: 1, buffers: 0, maps: 1 });
  expect(step.dispatches).toBeLessThanOrEqual(30);
  expect(step.sent).toBeLessThan(4 * (32 * 784 + 32) + 16384);
  expect(step.fetched).toBeLessThanOrEqual(8);
});
