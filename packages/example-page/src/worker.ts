import { cpu } from "@gradus/backend-cpu";
import { gpu } from "@gradus/backend-gpu";
import { webgl } from "@gradus/backend-webgl";
import type { Backend } from "@gradus/core";
import { type Classification, fetchDigits, take } from "@gradus/datasets/web";
import { crossEntropy } from "@gradus/losses";
import { linear, relu, sequential } from "@gradus/nn";
import { adamw, cosine } from "@gradus/optimizers";
import { setDefaultDevice, tensor } from "@gradus/tensor";
import { type Data, fit } from "@gradus/train";
import type { DeviceName, Example, News, Order } from "./messages.js";

/* The worker: all that computes. */

const devices: Readonly<Record<DeviceName, () => Promise<Backend>>> = {
  cpu: () => cpu({ threads: 1 }),
  webgpu: () => gpu(),
  webgl: () => webgl(),
};

const BATCH = 32;
/** Milliseconds between two messages of how far it is: the page draws each. */
const BETWEEN = 100;
const EXAMPLES = 24;

addEventListener("message", async ({ data }: MessageEvent<Order>) => {
  try {
    await train(data);
  } catch (error) {
    tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
});

async function train({ device: name, epochs }: Order): Promise<void> {
  const dataset = await fetchDigits();
  const device = await devices[name]();
  setDefaultDevice(device);
  const rows = dataset.train.length;
  const steps = epochs * Math.ceil(rows / BATCH);
  const begin = performance.now();
  let told = begin;
  const run = await fit(sequential(linear(64, 32), relu(), linear(32, 10)), {
    loss: crossEntropy,
    optimizer: adamw({ lr: cosine({ from: 1e-2, steps }), weightDecay: 0.1 }),
    train: dataOf(dataset, dataset.train),
    epochs,
    batchSize: BATCH,
    progress: false,
    callbacks: [
      {
        name: "page",
        onPause({ run }) {
          if (performance.now() - told < BETWEEN) return;
          told = performance.now();
          tell({ kind: "progress", done: run.step, total: steps });
        },
        onEpochEnd({ run, epoch }) {
          tell({ kind: "progress", done: run.step, total: steps });
          tell({ kind: "epoch", epoch, loss: run.history.at(-1)?.train.loss ?? Number.NaN });
        },
      },
    ],
  });
  const seconds = (performance.now() - begin) / 1000;
  const test = take(dataset, dataset.test);
  const predicted = await run.predict(dataOf(dataset, dataset.test).x).argmax(-1).read();
  const right = test.y.reduce((count, label, row) => count + (label === predicted[row] ? 1 : 0), 0);
  const examples = Array.from({ length: EXAMPLES }, (_, row): Example => {
    const pixels = Array.from(test.x.slice(64 * row, 64 * (row + 1)), (value) => value / 16);
    return { pixels, label: test.y[row] as number, predicted: predicted[row] as number };
  });
  await device.dispose();
  tell({ kind: "finished", seconds, right, rows: test.rows, examples });
}

function dataOf(dataset: Classification, numbers: ArrayLike<number>): Data {
  const { x, y, rows } = take(dataset, numbers);
  return {
    x: tensor(
      x.map((value) => value / 16),
      { shape: [rows, dataset.features] },
    ),
    y: tensor(y),
  };
}

function tell(news: News): void {
  postMessage(news);
}
