import { objective, valueAndGrad } from "@gradus/autograd";
import { cpu } from "@gradus/backend-cpu";
import type { Tensor } from "@gradus/core";
import { digits, take } from "@gradus/datasets";
import { crossEntropy } from "@gradus/losses";
import { adam, applyUpdates, lbfgs } from "@gradus/optimizers";
import { compile, setDefaultDevice, tensor, zeros } from "@gradus/tensor";
import { ADAM_TENSORS, crossEntropies, LBFGS, mlps } from "../workloads.js";
import { cnn, mlp } from "./gradus-networks.js";
import { classes, type Library, numbers, type OpenLibrary, type Run } from "./library.js";

const MILLION = 1_000_000;

/**
 * The operations on their own: as a user writes them, eager, or compiled with what they read in place. Results are given back
 * as the peers' are: Gradus need not, but what is collected later is copied out of the modules' memory before.
 */
function operation(f: (...xs: Tensor[]) => Tensor, inputs: () => Tensor[], compiled: boolean): () => Run {
  return () => {
    const xs = inputs();
    const run = compiled ? compile(() => f(...xs)) : () => f(...xs);
    return () => run().dispose();
  };
}

const item = (loss: Tensor): number => loss.item();

type Tree = Record<string, Tensor>;

/** The optimizer alone, on gradients that are given. */
function adamOf(tensors: number): Run {
  const each = Math.floor(MILLION / tensors);
  const make = (seed: number): Tree =>
    Object.fromEntries(Array.from({ length: tensors }, (_, i) => [`p${i}`, tensor(numbers(each, seed + i))]));
  const rule = adam({ lr: 1e-3 });
  const grads = make(1);
  let p = make(100);
  let s = rule.init(p);
  const step = compile(
    (p: Tree, s: ReturnType<typeof rule.init<Tree>>, g: Tree) => {
      const { updates, state } = rule.update(g, s, { params: p });
      return { p: applyUpdates(p, updates), s: state };
    },
    { donate: [0, 1] },
  );
  return () => {
    ({ p, s } = step(p, s, grads));
  };
}

function lossAndGradient(rows: number, count: number): Run {
  const y = tensor(classes(rows, count));
  const x = tensor(numbers(rows * count), { shape: [rows, count] });
  const step = compile((x: Tensor) => valueAndGrad((x: Tensor) => crossEntropy(x, y))(x));
  return () => {
    for (const result of step(x)) result.dispose();
  };
}

/** Multinomial logistic regression on the training rows of digits, in f64, from zeros. */
function lbfgsDigits(): Run {
  const data = digits();
  const { x: pixels, y: labels } = take(data, data.train);
  const rows = data.train.length;
  const x = tensor(Float64Array.from(pixels), { shape: [rows, 64] }).div(16);
  const y = tensor(labels);
  const loss = ({ w, b }: { w: Tensor; b: Tensor }): Tensor =>
    crossEntropy(x.matmul(w).add(b), y).add(
      w
        .square()
        .sum()
        .div(2 * rows),
    );
  const compiled = compile((p: { w: Tensor; b: Tensor }) => valueAndGrad(loss)(p));
  const f = objective(loss);
  const fast: typeof f = {
    ...f,
    valueAndGrad(p) {
      const [value, grads] = compiled(p);
      return [value, grads, undefined];
    },
  };
  const { iterations, history } = LBFGS;
  const method = lbfgs({ history, iterationsPerStep: iterations });
  const start = { w: zeros([64, 10], { dtype: "f64" }), b: zeros([10], { dtype: "f64" }) };
  return () => method.step(fast, start, method.init(start), undefined);
}

export const open: OpenLibrary = async (threads): Promise<Library> => {
  setDefaultDevice(await cpu({ threads }));
  const vector = (seed: number) => tensor(numbers(MILLION, seed));
  const square = (n: number) => () => [1, 2].map((seed) => tensor(numbers(n * n, seed), { shape: [n, n] }));
  const matmul = (a: Tensor, b: Tensor): Tensor => a.matmul(b);
  const operations: [string, (...xs: Tensor[]) => Tensor, () => Tensor[]][] = [
    ...[256, 512, 1024].map(
      (n) => [`matmul_${n}`, matmul, square(n)] as [string, typeof matmul, () => Tensor[]],
    ),
    ["mul_add_1M", (a, b, c) => a.mul(b).add(c), () => [1, 2, 3].map(vector)],
    ["exp_1M", (x) => x.exp(), () => [vector(1)]],
    ["tanh_1M", (x) => x.tanh(), () => [vector(1)]],
    ["sum_1M", (x) => x.sum(), () => [vector(1)]],
    ["softmax_128x1000", (x) => x.softmax(-1), () => [tensor(numbers(128_000), { shape: [128, 1000] })]],
  ];
  return {
    workloads: {
      ...Object.fromEntries(operations.map(([name, f, inputs]) => [name, operation(f, inputs, true)])),
      ...Object.fromEntries(
        operations.map(([name, f, inputs]) => [`${name}_eager`, operation(f, inputs, false)]),
      ),
      add_4_eager: operation(
        (a, b) => a.add(b),
        () => [tensor([1, 2, 3, 4]), tensor([5, 6, 7, 8])],
        false,
      ),
      ...Object.fromEntries(
        Object.entries(mlps).map(([name, { sizes, rows }]) => [name, () => mlp(sizes, rows, item)]),
      ),
      cnn_b32: () => cnn(item),
      adam_1000k: () => adamOf(1),
      adam_60x: () => adamOf(ADAM_TENSORS),
      ...Object.fromEntries(
        Object.entries(crossEntropies).map(([name, [rows, count]]) => [
          name,
          () => lossAndGradient(rows, count),
        ]),
      ),
      lbfgs_digits: lbfgsDigits,
      first_step: () => () => mlp([784, 128, 10], 32, item)(),
    },
  };
};
