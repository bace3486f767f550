import { valueAndGrad } from "@gradus/autograd";
import type { Key, Layer, Tensor } from "@gradus/core";
import { compile, key, ones, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type BatchNormParams,
  type BatchNormState,
  batchNorm,
  dropout,
  type Empty,
  type LinearParams,
  linear,
  relu,
  sequential,
} from "./index.js";

describe("sequential", () => {
  it("applies its layers one after another", () => {
    const model = sequential(linear(2, 3), relu(), linear(3, 1));
    const { params, state } = model.init(key(0));
    const x = tensor([
      [1, -2],
      [0.5, 3],
    ]);
    const [p0, , p2] = params;
    const hidden = x.matmul(p0.weight.transpose()).add(p0.bias).relu();
    const want = hidden.matmul(p2.weight.transpose()).add(p2.bias);
    expect(model.apply(params, state, x, { train: true })[0].toArray()).toEqual(want.toArray());
  });

  it("has tuples of its layers' parameters and states as types", () => {
    const model = sequential(linear(64, 32), relu(), linear(32, 10));
    const { params, state } = model.init(key(0));
    expectTypeOf(params).toEqualTypeOf<[LinearParams, Empty, LinearParams]>();
    expectTypeOf(state).toEqualTypeOf<[Empty, Empty, Empty]>();
    const nested = sequential(sequential(linear(2, 2), batchNorm(2)), relu());
    expectTypeOf(nested).toEqualTypeOf<
      Layer<[[LinearParams, BatchNormParams], Empty], [[Empty, BatchNormState], Empty]>
    >();
  });

  it("keeps the types of the trees through a gradient", () => {
    const model = sequential(linear(2, 1), relu());
    const { params, state } = model.init(key(0));
    const loss = (p: typeof params) => model.apply(p, state, ones([3, 2]), { train: true })[0].sum();
    const [, grads] = valueAndGrad(loss)(params);
    expectTypeOf(grads).toEqualTypeOf<[LinearParams, Empty]>();
    expect(grads[0].weight.shape).toEqual([1, 2]);
  });

  it("gives each layer a key of its own, in init and in apply", () => {
    const twins = sequential(linear(4, 4), linear(4, 4));
    const [a, b] = twins.init(key(0)).params;
    expect(a.weight.toArray()).not.toEqual(b.weight.toArray());
    expect(a.weight.toArray()).toEqual(linear(4, 4).init(key(0).foldIn(0)).params.weight.toArray());

    const drops = sequential(dropout(0.5), dropout(0.5));
    const { params, state } = drops.init(key(0));
    const [y] = drops.apply(params, state, ones([1000]), { train: true, key: key(1) });
    // Both keep an element in a quarter of the cases; with one key for both it would be half.
    const kept = y.data().filter((v) => v !== 0).length;
    expect(Math.abs(kept - 250)).toBeLessThan(5 * Math.sqrt(1000 * 0.25 * 0.75));
  });

  it("passes state along, the same one if nothing changed", () => {
    const model = sequential(linear(2, 2), batchNorm(2));
    const { params, state } = model.init(key(0));
    const x = tensor([
      [1, 2],
      [3, 5],
    ]);
    const [, trained] = model.apply(params, state, x, { train: true });
    expect(trained).not.toBe(state);
    expect(trained[1].runningMean.toArray()).not.toEqual([0, 0]);
    expect(model.apply(params, state, x, { train: false })[1]).toBe(state);
  });

  it("is the same compiled, with keys as arguments", () => {
    const model = sequential(linear(8, 8), dropout(0.5), batchNorm(8), relu());
    const { params, state } = model.init(key(0));
    const step = (p: typeof params, s: typeof state, x: Tensor, k: Key) =>
      model.apply(p, s, x, { train: true, key: k });
    const x = key(5).normal([4, 8]);
    const [eager] = step(params, state, x, key(2));
    const [replayed, next] = compile(step)(params, state, x, key(2));
    eager.data().forEach((value, i) => {
      expect(replayed.data()[i]).toBeCloseTo(value, 5);
    });
    expect(next[2].runningVar.shape).toEqual([8]);
  });

  it("is the identity without layers", () => {
    const x = tensor([1]);
    expect(sequential().apply([], [], x, { train: true })[0]).toBe(x);
  });

  it("says what it is made of", () => {
    expect(sequential(linear(2, 3), relu()).name).toBe("sequential(linear(2, 3), relu())");
  });

  it("refuses parameters and states of other models", () => {
    const model = sequential(linear(2, 2), relu());
    const { params, state } = model.init(key(0));
    const short = [params[0]] as unknown as typeof params;
    expect(() => model.apply(short, state, ones([1, 2]), { train: false })).toThrow(
      "sequential: expected the parameters of 2 layers, got those of 1",
    );
    expect(() => model.apply(params, [] as unknown as typeof state, ones([1, 2]), { train: false })).toThrow(
      expect.objectContaining({ code: "tree-mismatch" }),
    );
  });
});
