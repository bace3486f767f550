import {
  blockUntilReady,
  defaultDevice,
  init,
  type Array as JaxArray,
  jit,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { ADAM_TENSORS, crossEntropies, mlps } from "../workloads.js";
import { adam, array, cnn, factors, meanCrossEntropy, mlp, type Params, zerosLike } from "./jax-networks.js";
import { classes, type Library, numbers, type OpenLibrary, type Run } from "./library.js";

// Arrays are counted by hand: a function takes over what it is given, `.ref` is one more.

async function dispose(x: JaxArray): Promise<void> {
  await blockUntilReady(x);
  x.dispose();
}

function adamOf(tensors: number): Run {
  const each = Math.floor(1_000_000 / tensors);
  const make = (seed: number): Params =>
    Object.fromEntries(
      Array.from({ length: tensors }, (_, i) => [`p${i}`, array(numbers(each, seed + i), [each])]),
    );
  const g = make(1);
  let p = make(100);
  let [m, v] = [zerosLike(p), zerosLike(p)];
  const step = jit((p: Params, m: Params, v: Params, g: Params, rate: JaxArray, second: JaxArray) =>
    adam(p, { m, v }, g, rate, second),
  );
  let t = 0;
  return async () => {
    t++;
    ({ p, m, v } = step(p, m, v, tree.ref(g), ...factors(t)) as { p: Params; m: Params; v: Params });
    await blockUntilReady(p);
  };
}

function lossAndGradient(rows: number, count: number): Run {
  const x = array(numbers(rows * count), [rows, count]);
  const y = nn.oneHot(array(classes(rows, count), [rows]), count);
  const step = jit((x: JaxArray, y: JaxArray) => valueAndGrad(meanCrossEntropy)(x, y));
  return async () => {
    const [value, g] = step(x.ref, y.ref) as [JaxArray, JaxArray];
    await dispose(value);
    await dispose(g);
  };
}

export const open: OpenLibrary = async (): Promise<Library> => {
  await init("wasm");
  defaultDevice("wasm");
  const vector = (seed: number) => () => array(numbers(1_000_000, seed), [1_000_000]);
  const square = (n: number, seed: number) => () => array(numbers(n * n, seed), [n, n]);
  const matmul = (n: number): Operation => [
    (a, b) => np.dot(a as JaxArray, b as JaxArray),
    [square(n, 1), square(n, 2)],
  ];
  type Operation = [(...xs: JaxArray[]) => JaxArray, (() => JaxArray)[]];
  const operations: Record<string, Operation> = {
    matmul_256: matmul(256),
    matmul_512: matmul(512),
    matmul_1024: matmul(1024),
    mul_add_1M: [(a, b, c) => (a as JaxArray).mul(b as JaxArray).add(c as JaxArray), [1, 2, 3].map(vector)],
    exp_1M: [(x) => np.exp(x as JaxArray), [vector(1)]],
    tanh_1M: [(x) => np.tanh(x as JaxArray), [vector(1)]],
    sum_1M: [(x) => np.sum(x as JaxArray), [vector(1)]],
    softmax_128x1000: [(x) => nn.softmax(x as JaxArray), [() => array(numbers(128_000), [128, 1000])]],
  };
  const run =
    ([f, inputs]: Operation, compiled: boolean) =>
    (): Run => {
      const xs = inputs.map((make) => make());
      const g = compiled ? (jit(f) as typeof f) : f;
      return () => dispose(g(...xs.map((x) => x.ref)));
    };
  const small = (data: number[]) => () => np.array(data);
  return {
    workloads: {
      ...Object.fromEntries(Object.entries(operations).map(([name, one]) => [name, run(one, true)])),
      ...Object.fromEntries(
        Object.entries(operations).map(([name, one]) => [`${name}_eager`, run(one, false)]),
      ),
      add_4_eager: run(
        [(a, b) => (a as JaxArray).add(b as JaxArray), [small([1, 2, 3, 4]), small([5, 6, 7, 8])]],
        false,
      ),
      ...Object.fromEntries(
        Object.entries(mlps).map(([name, { sizes, rows }]) => [name, () => mlp(sizes, rows)]),
      ),
      cnn_b32: cnn,
      adam_1000k: () => adamOf(1),
      adam_60x: () => adamOf(ADAM_TENSORS),
      ...Object.fromEntries(
        Object.entries(crossEntropies).map(([name, [rows, count]]) => [
          name,
          () => lossAndGradient(rows, count),
        ]),
      ),
      first_step: () => () => mlp([784, 128, 10], 32)(),
    },
  };
};
