import {
  blockUntilReady,
  type Array as JaxArray,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { classes, numbers, type Run } from "./library.js";

// Arrays are counted by hand: a function takes over what it is given, `.ref` is one more.

export type Params = Record<string, JaxArray>;
type State = { readonly m: Params; readonly v: Params };

export const array = (
  data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
  shape: readonly number[],
): JaxArray => np.array(data, { shape: [...shape] });

/** The optimizer, with the corrections of the first steps as factors. */
export function adam(
  p: Params,
  s: State,
  g: Params,
  rate: JaxArray,
  second: JaxArray,
): { p: Params; m: Params; v: Params } {
  const next: { p: Params; m: Params; v: Params } = { p: {}, m: {}, v: {} };
  for (const name of Object.keys(p)) {
    const [gradient, mean, square] = [g[name], s.m[name], s.v[name]] as [JaxArray, JaxArray, JaxArray];
    const m = mean.mul(0.9).add(gradient.ref.mul(0.1));
    const v = square.mul(0.999).add(gradient.ref.mul(gradient).mul(0.001));
    next.m[name] = m.ref;
    next.v[name] = v.ref;
    const step = m.mul(rate.ref).div(np.sqrt(v.mul(second.ref)).add(1e-8));
    next.p[name] = (p[name] as JaxArray).sub(step);
  }
  rate.dispose();
  second.dispose();
  return next;
}

export const zerosLike = (p: Params): Params =>
  Object.fromEntries(Object.entries(p).map(([name, x]) => [name, np.zeros(x.shape)]));

export const factors = (t: number): [JaxArray, JaxArray] => [
  np.array(1e-3 / (1 - 0.9 ** t)),
  np.array(1 / (1 - 0.999 ** t)),
];

function training(
  params: Params,
  loss: (p: Params, x: JaxArray, y: JaxArray) => JaxArray,
  x: JaxArray,
  y: JaxArray,
): Run {
  let [p, m, v] = [params, zerosLike(params), zerosLike(params)];
  const step = jit(
    (p: Params, m: Params, v: Params, x: JaxArray, y: JaxArray, rate: JaxArray, second: JaxArray) => {
      const [value, g] = valueAndGrad(loss)(tree.ref(p), x, y) as [JaxArray, Params];
      return { ...adam(p, { m, v }, g, rate, second), loss: value };
    },
  );
  let t = 0;
  return async () => {
    t++;
    const next = step(p, m, v, x.ref, y.ref, ...factors(t)) as {
      p: Params;
      m: Params;
      v: Params;
      loss: JaxArray;
    };
    ({ p, m, v } = next);
    await blockUntilReady(p);
    // Without waiting it would be fetched through a canvas, where it is on a graphics card.
    const [value] = await next.loss.data();
    return value;
  };
}

export const meanCrossEntropy = (logits: JaxArray, oneHot: JaxArray): JaxArray =>
  np.mean(np.sum(nn.logSoftmax(logits).mul(oneHot), -1)).neg();

const layer = (inputs: number, outputs: number, seed: number): JaxArray =>
  array(numbers(inputs * outputs, seed, 1 / Math.sqrt(inputs)), [inputs, outputs]);

export function mlp(sizes: readonly number[], rows: number): Run {
  const params: Params = {};
  sizes.slice(1).forEach((size, i) => {
    params[`w${i}`] = layer(sizes[i] as number, size, i + 1);
    params[`b${i}`] = np.zeros([size]);
  });
  const count = sizes.at(-1) as number;
  const loss = (p: Params, x: JaxArray, y: JaxArray): JaxArray => {
    let h = x;
    for (let i = 0; i + 1 < sizes.length; i++) {
      h = np.dot(h, p[`w${i}`] as JaxArray).add(p[`b${i}`] as JaxArray);
      if (i + 2 < sizes.length) h = nn.relu(h);
    }
    return meanCrossEntropy(h, y);
  };
  const x = array(numbers(rows * (sizes[0] as number)), [rows, sizes[0] as number]);
  return training(params, loss, x, nn.oneHot(array(classes(rows, count), [rows]), count));
}

export function cnn(): Run {
  const params: Params = {
    c1: array(numbers(72, 1, 1 / 3), [8, 1, 3, 3]),
    b1: np.zeros([8, 1, 1]),
    c2: array(numbers(16 * 72, 2, 1 / Math.sqrt(72)), [16, 8, 3, 3]),
    b2: np.zeros([16, 1, 1]),
    w: layer(400, 10, 3),
    b: np.zeros([10]),
  };
  const at = (p: Params, name: string): JaxArray => p[name] as JaxArray;
  const pool = (x: JaxArray): JaxArray => {
    // Windows do not overlap; the maximum over windows has no gradient in this library.
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const even = x.slice([], [], [0, h - (h % 2)], [0, w - (w % 2)]);
    return np.max(even.reshape([n, c, Math.floor(h / 2), 2, Math.floor(w / 2), 2]), [3, 5]);
  };
  const loss = (p: Params, x: JaxArray, y: JaxArray): JaxArray => {
    const first = pool(nn.relu(lax.conv(x, at(p, "c1"), [1, 1], "VALID").add(at(p, "b1"))));
    const second = pool(nn.relu(lax.conv(first, at(p, "c2"), [1, 1], "VALID").add(at(p, "b2"))));
    return meanCrossEntropy(np.dot(second.reshape([32, 400]), at(p, "w")).add(at(p, "b")), y);
  };
  const x = array(numbers(32 * 784), [32, 1, 28, 28]);
  return training(params, loss, x, nn.oneHot(array(classes(32, 10), [32]), 10));
}
