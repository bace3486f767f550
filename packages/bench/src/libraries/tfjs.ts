import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { ADAM_TENSORS, crossEntropies, mlps } from "../workloads.js";
import { classes, type Library, numbers, type OpenLibrary, type Run } from "./library.js";
import { mlp } from "./tfjs-networks.js";

const first = (loss: tf.Scalar): number => loss.dataSync()[0] as number;

function once(f: () => tf.Tensor): Run {
  return () => f().dispose();
}

/** The optimizer alone, on gradients that are given. */
function adamOf(tensors: number): Run {
  const each = Math.floor(1_000_000 / tensors);
  const optimizer = tf.train.adam(1e-3);
  const grads: { name: string; tensor: tf.Tensor }[] = [];
  for (let i = 0; i < tensors; i++) {
    const p = tf.variable(tf.tensor1d(numbers(each, 100 + i)));
    grads.push({ name: p.name, tensor: tf.tensor1d(numbers(each, 1 + i)) });
  }
  return () => optimizer.applyGradients(grads);
}

function lossAndGradient(rows: number, count: number): Run {
  const x = tf.tensor2d(numbers(rows * count), [rows, count]);
  const y = tf.oneHot(tf.tensor1d(classes(rows, count), "int32"), count);
  const f = tf.valueAndGrad((x: tf.Tensor) => tf.losses.softmaxCrossEntropy(y, x) as tf.Scalar);
  return () => {
    const { value, grad } = f(x);
    tf.dispose([value, grad]);
  };
}

export const open: OpenLibrary = async (threads): Promise<Library> => {
  const require = createRequire(import.meta.url);
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}${sep}`);
  setThreadsCount(threads);
  await tf.setBackend("wasm");
  await tf.ready();
  const vector = (seed: number) => tf.tensor1d(numbers(1_000_000, seed));
  const matmul = (n: number): Run => {
    const [a, b] = [1, 2].map((seed) => tf.tensor2d(numbers(n * n, seed), [n, n])) as [
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    return once(() => tf.matMul(a, b));
  };
  const operations: Record<string, () => Run> = {
    matmul_256: () => matmul(256),
    matmul_512: () => matmul(512),
    matmul_1024: () => matmul(1024),
    mul_add_1M: () => {
      const [a, b, c] = [1, 2, 3].map(vector) as [tf.Tensor, tf.Tensor, tf.Tensor];
      return once(() => tf.tidy(() => a.mul(b).add(c)));
    },
    exp_1M: () => {
      const x = vector(1);
      return once(() => x.exp());
    },
    tanh_1M: () => {
      const x = vector(1);
      return once(() => x.tanh());
    },
    sum_1M: () => {
      const x = vector(1);
      return once(() => x.sum());
    },
    softmax_128x1000: () => {
      const x = tf.tensor2d(numbers(128_000), [128, 1000]);
      return once(() => tf.softmax(x));
    },
  };
  return {
    workloads: {
      ...operations,
      // Nothing is compiled: the same again.
      ...Object.fromEntries(Object.entries(operations).map(([name, make]) => [`${name}_eager`, make])),
      add_4_eager: () => {
        const [a, b] = [tf.tensor1d([1, 2, 3, 4]), tf.tensor1d([5, 6, 7, 8])];
        return once(() => a.add(b));
      },
      ...Object.fromEntries(
        Object.entries(mlps).map(([name, { sizes, rows }]) => [name, () => mlp(sizes, rows, first)]),
      ),
      adam_1000k: () => adamOf(1),
      adam_60x: () => adamOf(ADAM_TENSORS),
      ...Object.fromEntries(
        Object.entries(crossEntropies).map(([name, [rows, count]]) => [
          name,
          () => lossAndGradient(rows, count),
        ]),
      ),
      first_step: () => () => mlp([784, 128, 10], 32, first)(),
    },
  };
};
