import { valueAndGrad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from "@gradus/nn";
import { adam, applyUpdates } from "@gradus/optimizers";
import { compile, key, tensor } from "@gradus/tensor";
import { classes, numbers, type Run } from "./library.js";

/* Training steps of networks, in Node and in browsers. */

/** Fetches a loss, now or later. */
export type ReadLoss = (loss: Tensor) => unknown;

type Tree = Record<string, Tensor>;

function training<P extends Tree | readonly unknown[]>(
  params: P,
  loss: (p: P, x: Tensor, y: Tensor) => Tensor,
  read: ReadLoss,
) {
  const rule = adam({ lr: 1e-3 });
  let p = params;
  let s = rule.init(p);
  const step = compile(
    (p: P, s: ReturnType<typeof rule.init<P>>, x: Tensor, y: Tensor) => {
      const [value, grads] = valueAndGrad((q: P) => loss(q, x, y))(p);
      const { updates, state } = rule.update(grads, s, { params: p });
      return { p: applyUpdates(p, updates), s: state, loss: value };
    },
    { donate: [0, 1] },
  );
  return (x: Tensor, y: Tensor): unknown => {
    const result = step(p, s, x, y);
    ({ p, s } = result);
    return read(result.loss);
  };
}

export function mlp(sizes: readonly number[], rows: number, read: ReadLoss): Run {
  const model = sequential(
    ...sizes
      .slice(1)
      .flatMap((size, i) => [linear(sizes[i] as number, size), ...(i + 2 < sizes.length ? [relu()] : [])]),
  );
  const { params, state } = model.init(key(0));
  const loss = (p: typeof params, x: Tensor, y: Tensor): Tensor =>
    crossEntropy(model.apply(p, state, x, { train: true })[0], y);
  const step = training(params, loss, read);
  const inputs = sizes[0] as number;
  const x = tensor(numbers(rows * inputs), { shape: [rows, inputs] });
  const y = tensor(classes(rows, sizes.at(-1) as number));
  return () => step(x, y);
}

export function cnn(read: ReadLoss): Run {
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
  const { params, state } = model.init(key(0));
  const loss = (p: typeof params, x: Tensor, y: Tensor): Tensor =>
    crossEntropy(model.apply(p, state, x, { train: true })[0], y);
  const step = training(params, loss, read);
  const x = tensor(numbers(32 * 784), { shape: [32, 1, 28, 28] });
  const y = tensor(classes(32, 10));
  return () => step(x, y);
}
