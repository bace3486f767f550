import * as tf from "@tensorflow/tfjs";
import { classes, numbers, type Run } from "./library.js";

/** Fetches a loss, now or later; it is given back after the call. */
export type ReadLoss = (loss: tf.Scalar) => unknown;

function training(loss: () => tf.Scalar, read: ReadLoss): Run {
  const optimizer = tf.train.adam(1e-3);
  return () => {
    const value = optimizer.minimize(loss, true) as tf.Scalar;
    const number = read(value);
    value.dispose();
    return number;
  };
}

export function mlp(sizes: readonly number[], rows: number, read: ReadLoss): Run {
  const layers = sizes.slice(1).map((size, i) => {
    const before = sizes[i] as number;
    return {
      w: tf.variable(tf.tensor2d(numbers(before * size, i + 1, 1 / Math.sqrt(before)), [before, size])),
      b: tf.variable(tf.zeros([size])),
    };
  });
  const x = tf.tensor2d(numbers(rows * (sizes[0] as number)), [rows, sizes[0] as number]);
  const count = sizes.at(-1) as number;
  const y = tf.oneHot(tf.tensor1d(classes(rows, count), "int32"), count);
  return training(() => {
    let h = x;
    layers.forEach(({ w, b }, i) => {
      h = h.matMul<tf.Tensor2D>(w).add(b);
      if (i + 1 < layers.length) h = h.relu();
    });
    return tf.losses.softmaxCrossEntropy(y, h) as tf.Scalar;
  }, read);
}

/** Channels last: what this library computes with. */
export function cnn(read: ReadLoss): Run {
  const weights = (shape: [number, number, number, number], seed: number, scale: number) =>
    tf.variable(
      tf.tensor4d(
        numbers(
          shape.reduce((a, b) => a * b),
          seed,
          scale,
        ),
        shape,
      ),
    );
  const [c1, c2] = [weights([3, 3, 1, 8], 1, 1 / 3), weights([3, 3, 8, 16], 2, 1 / Math.sqrt(72))];
  const [b1, b2] = [tf.variable(tf.zeros([8])), tf.variable(tf.zeros([16]))];
  const w = tf.variable(tf.tensor2d(numbers(4000, 3, 1 / 20), [400, 10]));
  const b = tf.variable(tf.zeros([10]));
  const x = tf.tensor4d(numbers(32 * 784), [32, 28, 28, 1]);
  const y = tf.oneHot(tf.tensor1d(classes(32, 10), "int32"), 10);
  return training(() => {
    const first = x.conv2d(c1, 1, "valid").add<tf.Tensor4D>(b1).relu().maxPool<tf.Tensor4D>(2, 2, "valid");
    const second = first
      .conv2d(c2, 1, "valid")
      .add<tf.Tensor4D>(b2)
      .relu()
      .maxPool<tf.Tensor4D>(2, 2, "valid");
    const logits = second
      .reshape<tf.Tensor2D>([32, 400])
      .matMul(w as unknown as tf.Tensor2D)
      .add(b);
    return tf.losses.softmaxCrossEntropy(y, logits) as tf.Scalar;
  }, read);
}
