import type { Tensor } from "@gradus/core";
import { compile, concat, einsum, indexAdd, key, stack, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { grad, vmap } from "./index.js";

const BATCH = 3;
const random = (seed: number, shape: number[]): Tensor => key(seed).normal(shape, { dtype: "f64" });
const row = (x: Tensor, i: number): Tensor => x.slice([i, i + 1]).squeeze(0);
/** What `vmap` must give: one example after the other. */
const loop = (f: (...xs: Tensor[]) => Tensor, ...xs: Tensor[]): Tensor =>
  stack(Array.from({ length: xs[0]?.shape[0] ?? 0 }, (_, i) => f(...xs.map((x) => row(x, i)))));
const expectClose = (actual: Tensor, expected: Tensor): void => {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  if (expected.size > 0) expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-9);
};

interface Case {
  /** Shapes of one example of each operand. */
  readonly shapes: readonly number[][];
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly differentiable?: boolean;
}

const index = tensor([[2, 0, 1, 1]], { dtype: "i32" });
const cases: Record<string, Case> = {
  "elementwise of one rank": {
    shapes: [
      [2, 4],
      [2, 4],
    ],
    f: (a, b) => a.mul(b).tanh(),
  },
  "elementwise, broadcast from other ranks": {
    shapes: [[4], [2, 1], []],
    f: (a, b, c) => a.mul(b).add(c).sin(),
  },
  "a number for each example": { shapes: [[], []], f: (a, b) => a.exp().sub(b) },
  "where and comparisons": { shapes: [[4], [4]], f: (a, b) => a.gt(b).where(a.square(), b) },
  sum: { shapes: [[2, 4]], f: (x) => x.sum(1) },
  "mean of all": { shapes: [[2, 4]], f: (x) => x.mean() },
  prod: { shapes: [[2, 3]], f: (x) => x.prod(0) },
  max: { shapes: [[2, 4]], f: (x) => x.max(-1, { keepdims: true }) },
  "var and std": { shapes: [[5]], f: (x) => x.var().add(x.std()) },
  norm: { shapes: [[5]], f: (x) => x.norm() },
  logsumexp: { shapes: [[2, 4]], f: (x) => x.logsumexp(0) },
  softmax: { shapes: [[2, 4]], f: (x) => x.softmax(1).mul(x) },
  logSoftmax: { shapes: [[2, 4]], f: (x) => x.logSoftmax(0).square() },
  argmax: { shapes: [[2, 4]], f: (x) => x.argmax(1).cast("f64"), differentiable: false },
  "matmul of matrices": {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    f: (a, b) => a.matmul(b),
  },
  "matmul of vectors": { shapes: [[3], [3]], f: (a, b) => a.matmul(b) },
  "matmul of a batch": {
    shapes: [
      [2, 2, 3],
      [3, 4],
    ],
    f: (a, b) => a.matmul(b),
  },
  einsum: {
    shapes: [
      [2, 3],
      [3, 2],
    ],
    f: (a, b) => einsum("ij,jk->ki", a, b),
  },
  conv: {
    shapes: [[1, 2, 5, 5], [3, 2, 3, 3], [3]],
    f: (x, w, b) => x.conv(w, { bias: b, padding: 1, stride: 2 }),
  },
  "conv without a batch axis": {
    shapes: [
      [2, 6],
      [4, 1, 3],
    ],
    f: (x, w) => x.conv(w, { groups: 2 }),
  },
  convTranspose: {
    shapes: [
      [1, 2, 3, 3],
      [2, 2, 2, 2],
    ],
    f: (x, w) => x.convTranspose(w, { stride: 2 }),
  },
  maxPool: { shapes: [[1, 2, 4, 4]], f: (x) => x.maxPool(2).values },
  avgPool: { shapes: [[1, 2, 4, 4]], f: (x) => x.avgPool(2, { padding: 1, countIncludePad: false }) },
  adaptiveAvgPool: { shapes: [[1, 2, 5]], f: (x) => x.adaptiveAvgPool(3) },
  interpolate: { shapes: [[1, 2, 5]], f: (x) => x.interpolate(7, { mode: "linear" }) },
  reshape: { shapes: [[2, 6]], f: (x) => x.transpose().reshape([3, 4]).square() },
  "squeeze and unsqueeze": { shapes: [[1, 4]], f: (x) => x.squeeze(0).unsqueeze(1).mul(2) },
  permute: { shapes: [[2, 3, 4]], f: (x) => x.permute([2, 0, 1]).sin() },
  expand: { shapes: [[1, 3]], f: (x) => x.expand([2, 3]).exp() },
  "slice with steps": { shapes: [[5, 4]], f: (x) => x.slice([undefined, undefined, -2], [1, 3]) },
  flip: { shapes: [[2, 4]], f: (x) => x.flip(1).mul(x) },
  pad: {
    shapes: [[2, 3]],
    f: (x) =>
      x.pad(
        [
          [1, 0],
          [0, 2],
        ],
        7,
      ),
  },
  concat: {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    f: (a, b) => concat([a, b, a], 0),
  },
  gather: { shapes: [[3, 4]], f: (x) => x.gather(0, index) },
  "gather at positions of each example": { shapes: [[5], [5]], f: (x, y) => x.gather(0, y.argsort()) },
  scatterAdd: {
    shapes: [
      [3, 4],
      [1, 4],
    ],
    f: (x, s) => x.scatterAdd(0, index, s),
  },
  "scatterAdd to the same base": {
    shapes: [[1, 4]],
    f: (s) => s.engine.full([3, 4], 1, { dtype: "f64" }).scatterAdd(0, index, s),
  },
  "rows chosen by each example": {
    shapes: [[4, 3], [2, 3], [4]],
    f: (x, rows, order) => {
      const index = order.argsort().slice([1, 3]);
      return indexAdd(x, 0, index, rows).add(x.indexSelect(0, index).sum());
    },
  },
  "rows at the same places of all": {
    shapes: [
      [4, 3],
      [2, 3],
    ],
    f: (x, rows) => indexAdd(x, 0, tensor([1, 1], { dtype: "i32" }), rows),
  },
  sort: { shapes: [[2, 5]], f: (x) => x.sort(0, { descending: true }).values },
  topk: { shapes: [[6]], f: (x) => x.topk(2).values },
  median: { shapes: [[2, 5]], f: (x) => x.median(1).values },
  cumsum: { shapes: [[3, 4]], f: (x) => x.cumsum(0) },
  cumprod: { shapes: [[5]], f: (x) => x.cumprod(0) },
  logcumsumexp: { shapes: [[5]], f: (x) => x.logcumsumexp(0) },
  cummax: { shapes: [[5]], f: (x) => x.cummax(0).values },
  "a zero-size axis": { shapes: [[0, 3]], f: (x) => x.sum(0) },
  "detach and constants": {
    shapes: [[3]],
    f: (x) =>
      x
        .detach()
        .mul(x)
        .add(tensor([1, 2, 3], { dtype: "f64" })),
  },
};

describe("vmap over every kind of operation", () => {
  describe.each(Object.entries(cases))("%s", (_, { shapes, f, differentiable = true }) => {
    const all = shapes.map((shape, k) => random(10 + k, [BATCH, ...shape]));

    it("is one example after the other, eagerly and compiled", () => {
      expectClose(vmap(f)(...all), loop(f, ...all));
      expectClose(compile(vmap(f))(...all), loop(f, ...all));
    });

    it("takes operands that are the same for all examples", () => {
      if (all.length < 2) return;
      all.forEach((x, k) => {
        const fixed = all.map((y, i) => (i === k ? y : row(y, 0)));
        const inAxes = all.map((_, i) => (i === k ? 0 : null));
        expectClose(
          vmap(f, { inAxes })(...fixed),
          loop((one) => f(...fixed.map((y, i) => (i === k ? one : y))), x),
        );
      });
    });

    if (!differentiable) return;
    const weighted = (...xs: Tensor[]): Tensor =>
      f(...xs)
        .mul(f(...xs).sin())
        .sum();

    it("has the gradients of each example, and of all together", () => {
      const perExample = (xs: Tensor[]): Tensor[] => grad((ys: Tensor[]) => weighted(...ys))(xs);
      const together = (xs: Tensor[]): Tensor[] => grad((ys: Tensor[]) => vmap(weighted)(...ys).sum())(xs);
      const expected = Array.from({ length: BATCH }, (_, i) => perExample(all.map((x) => row(x, i))));
      for (const gradients of [vmap(perExample)(all), compile(vmap(perExample))(all), together(all)]) {
        gradients.forEach((g, k) => {
          expectClose(g, stack(expected.map((one) => one[k] as Tensor)));
        });
      }
    });

    it("has gradients by what is the same for all examples", () => {
      all.forEach((x, k) => {
        const fixed = all.map((y, i) => (i === k ? y : row(y, 0)));
        const inAxes = all.map((_, i) => (i === k ? 0 : null));
        const total = (xs: Tensor[]): Tensor => vmap(weighted, { inAxes })(...xs).sum();
        const expected = grad((xs: Tensor[]) =>
          loop((one) => weighted(...xs.map((y, i) => (i === k ? one : y))), xs[k] as Tensor).sum(),
        )(fixed);
        grad(total)(fixed).forEach((g, i) => {
          expectClose(g, expected[i] as Tensor);
        });
        expect(x.shape[0]).toBe(BATCH);
      });
    });
  });
});
