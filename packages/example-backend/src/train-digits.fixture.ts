import type { Backend } from "@gradus/core";
import { type Classification, take } from "@gradus/datasets/web";
import { accuracy, crossEntropy } from "@gradus/losses";
import { linear, relu, sequential } from "@gradus/nn";
import { adamw } from "@gradus/optimizers";
import { setDefaultDevice, tensor } from "@gradus/tensor";
import { type Data, fit } from "@gradus/train";

/** The share of the test digits that a small network knows after six epochs on this device. */
export async function trainDigits(device: Backend, dataset: Classification): Promise<number> {
  setDefaultDevice(device);
  const rows = (numbers: ArrayLike<number>): Data => {
    const { x, y, rows } = take(dataset, numbers);
    return { x: tensor(x, { shape: [rows, 64] }).div(16), y: tensor(y) };
  };
  const run = await fit(sequential(linear(64, 32), relu(), linear(32, 10)), {
    loss: crossEntropy,
    optimizer: adamw({ lr: 1e-2 }),
    train: rows(dataset.train),
    epochs: 6,
    metrics: { accuracy },
    progress: false,
  });
  return (await run.evaluate(rows(dataset.test))).accuracy;
}
